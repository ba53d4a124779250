"""The ops of Inception v3 as TensorFlow freezes it, for the list of ops that graphs from outside may hold.

Two graphs: Keras's InceptionV3 with random weights (no download), its variables made constants, and the same after
TensorFlow's own graph optimizer for inference. Written to inception_ops.json, with TensorFlow's version.

    pip install tensorflow-cpu; python test/reference/inception_ops.py
"""

import json
from pathlib import Path

import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import (
    convert_variables_to_constants_v2_as_graph,
)
from tensorflow.python.tools import optimize_for_inference_lib


def ops_of(graph_def):
    functions = [node for function in graph_def.library.function for node in function.node_def]
    return sorted({node.op for node in [*graph_def.node, *functions]})


def main():
    model = tf.keras.applications.InceptionV3(weights=None)
    network = tf.function(lambda images: model(images, training=False))
    concrete = network.get_concrete_function(tf.TensorSpec([1, 299, 299, 3], tf.float32))
    frozen, graph_def = convert_variables_to_constants_v2_as_graph(concrete)
    inputs = [tensor.op.name for tensor in frozen.inputs if tensor.dtype != tf.resource]
    outputs = [tensor.op.name for tensor in frozen.outputs]
    optimized = optimize_for_inference_lib.optimize_for_inference(
        graph_def, inputs, outputs, tf.float32.as_datatype_enum
    )
    found = {
        "tensorflow": tf.__version__,
        "keras": ops_of(graph_def),
        "optimized": ops_of(optimized),
    }
    text = json.dumps(found, indent=2) + "\n"
    Path(__file__).with_suffix(".json").write_text(text)


main()
