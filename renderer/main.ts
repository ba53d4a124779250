import 'katex/dist/katex.min.css'
import './style/fonts.css'
import './style/tokens.css'
import './style/base.css'
import './style/controls.css'
import { mount } from 'svelte'
import { connect } from './api.ts'
import App from './App.svelte'
import { Page, pageContext } from './state/page.ts'

const target = document.getElementById('app')
if (!target) throw new Error('main: the document needs an element with id "app", has none')

const page = new Page(connect)
page.start()
mount(App, { target, context: pageContext(page) })
