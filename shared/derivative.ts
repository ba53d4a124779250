/**
 * A layer graph's forward and backward as a program of tensor instructions, derived symbolically and simplified together.
 *
 * For the engine: `deriveLayer(graph, 'training')` once a layer (a few milliseconds, no shapes needed), then at every site
 *
 *   1. bind `inputs` (x full; v0, v1, gamma, beta per channel; dy full; at inference the moving `statistics`),
 *   2. run `forward` in order: gives `y`, the batch `statistics`, and the tensors `saved` for the backward,
 *   3. run `backward` in order, given dy and `saved`: gives `gradients` (null: that input has no influence).
 *
 * Each instruction is one TensorFlow op (symbolic/program.ts). Batch statistics (index set nhw) are outputs in
 * training (mean, mean of squares or biased variance, to be averaged over steps) and inputs at inference. The gradient treats
 * batch statistics as functions of x, as training needs.
 *
 * `deriveSecond` gives the gradient's own gradient: from dy and the cotangents of the five gradients, the
 * gradients with respect to x, v0, v1, gamma, beta and dy.
 */
