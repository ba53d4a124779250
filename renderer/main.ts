import 'katex/dist/katex.min.css'
import './style/fonts.css'
import './style/tokens.css'
import './style/base.css'
import './style/controls.css'
import { mount } from 'svelte'
import App from './App.svelte'

const target = document.getElementById('app')
if (!target) throw new Error('main: the document needs an element with id "app", has none')
mount(App, { target })
