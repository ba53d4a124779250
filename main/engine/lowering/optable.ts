/**
 * The C++ table of ops, sizes and places (../native/ops.h), made from the TypeScript one. `npm run check` finds a stale table;
 * `npm run check -- --write` writes it anew. An op that has no function in ../native/elementwise.h doesn't compile.
 */
import { fileURLToPath } from 'node:url'
import { FUSED_ELEMENTWISE, FUSED_REDUCTIONS, HEADING, PLACES } from '../../../shared/symbolic/plan.ts'
import { ELEMENTWISE, REDUCTIONS, SIZES } from '../../../shared/symbolic/program.ts'

export const OP_TABLE = fileURLToPath(new URL('../native/ops.h', import.meta.url))

/** The name in C++: `reluGrad` is `relu_grad`; a keyword gets an underscore. */
const identifier = (name: string): string =>
  name === 'register' ? 'register_' : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const table = (type: string, name: string, names: readonly string[], prefix: string): string =>
  [
    `constexpr Named<${type}> ${name}[] = {`,
    ...names.map((each) => `    {"${each}", ${prefix}${identifier(each)}},`),
    '};',
  ].join('\n')

const enumeration = (type: string, names: readonly string[]): string =>
  `enum class ${type} { ${names.map(identifier).join(', ')} };`

/** The text of ops.h. */
export const opTable = (): string => {
  const reductions = [...REDUCTIONS, ...FUSED_REDUCTIONS]
  return `// Made by main/engine/lowering/optable.ts from shared/symbolic (program.ts, plan.ts): \`npm run check -- --write\`.
#pragma once
#include "elementwise.h"

namespace normforge {

template <class T>
struct Named {
  const char* name;
  T value;
};

constexpr const char* kHeading = "${HEADING[0]}";
constexpr int kForm = ${HEADING[1]};

${enumeration('Size', SIZES)}
${table('Size', 'kSizes', SIZES, 'Size::')}

${enumeration('Place', PLACES)}
${table('Place', 'kPlaces', PLACES, 'Place::')}

${enumeration('Kind', ['elementwise', ...reductions])}
${table('Kind', 'kReductions', reductions, 'Kind::')}

${table('Elementwise', 'kElementwise', [...ELEMENTWISE, ...FUSED_ELEMENTWISE], 'op_')}

}  // namespace normforge
`
}
