"""TensorFlow's names that are left out on purpose, and what to use instead.

One kept table. Each public namespace has a hook set by ``install``, so that looking
for such a name raises an ``AttributeError`` with the sentence of the table; ``hasattr``
says no. A name stands for everything below it, too.
"""

import difflib
import sys
from collections.abc import Mapping, Sequence
from typing import Any

_GRAPHS = 'there are no graphs or sessions: operations run at once; write eager code'
_FUNCTION = 'tv.function traces Python as it stands, and nothing is rewritten'
_EAGERLY = 'use tv.config.run_functions_eagerly and tv.config.functions_run_eagerly'
_RAGGED = 'ragged tensors are left out; pad rows to one length, with tv.sequence_mask as mask'
_SPARSE = 'sparse tensors are left out; use indices and values with tv.gather and tv.scatter_nd'
_TEXT = "text is Python's: work on str or bytes with Python or NumPy, then call tv.constant"
_BATCHES = 'cut batches in Python: for i in range(0, len(x), 32): batch = x[i : i + 32]'
_IMAGES = 'images are read and resized with Pillow, OpenCV or SciPy; then call tv.constant'
_FILES = 'files are read with Python or NumPy (numpy.load, open, pathlib); then call tv.constant'
_KERAS = 'use Keras 3 itself (import keras), or tv.Module and tv.GradientTape'
_PLUGINS = "ops are written in Python: tv.py_function, tv.custom_gradient, or CuPy's RawKernel"
_CLUSTER = 'one process uses the devices of one machine; place variables with tv.device'
_QUANTIZED = 'quantized types are left out; use tv.int8 or tv.uint8 and scale by hand'
_SMALL_TYPES = '4-bit and 8-bit floats are left out; use tv.float16 or tv.bfloat16'
_SMALL_INTEGERS = '2-bit and 4-bit integers are left out; use tv.int8 or tv.uint8'
_HANDLES = 'handles are left out: a variable is a Python object, tv.Variable'
_EXTENSION = 'extension types are left out; use a dataclass or NamedTuple of tensors'
_DISPATCH = 'ops do not dispatch on other types; write a function that unwraps them'
_CANDIDATES = 'candidate sampling is left out; draw classes with tv.random.categorical'
_CTC = 'CTC is left out; use another library for alignment losses'
_OPERATORS = 'linear operators are left out; use a matrix and tv.linalg.matmul, solve or inv'
_BANDED = 'banded matrices are left out; build the full matrix and use tv.linalg.solve'
_APPROXIMATE = 'approximate search is left out; tv.math.top_k is exact'
_COMPILER = 'there is no graph compiler to set up'
_MORPHOLOGY = 'morphology is left out; use tv.nn.max_pool, or extract patches by slicing'
_SOUND = 'this transform is left out; tv.signal.frame, a window and tv.signal.rfft are there'
_RECURRENT = 'cell wrappers are left out; use Keras 3, or write the loop over time steps'

_TABLE: tuple[tuple[str, str], ...] = (
    (_GRAPHS, 'Graph Operation RegisterGradient compat graph_util import_graph_def check_pinned'),
    (_FUNCTION, 'autograph nondifferentiable_batch_function types'),
    (
        _EAGERLY,
        'config.experimental_run_functions_eagerly config.experimental_functions_run_eagerly',
    ),
    (
        _RAGGED,
        'RaggedTensor RaggedTensorSpec ragged ragged_fill_empty_rows '
        'ragged_fill_empty_rows_grad experimental.DynamicRaggedShape experimental.RowPartition '
        'experimental.StructuredTensor',
    ),
    (
        _SPARSE,
        'SparseTensor SparseTensorSpec sparse sets nn.embedding_lookup_sparse '
        'nn.safe_embedding_lookup_sparse',
    ),
    (_TEXT, 'strings as_string lookup edit_distance fingerprint'),
    (_BATCHES, 'data queue'),
    (_IMAGES, 'image'),
    (_FILES, 'io audio feature_column experimental.register_filesystem_plugin'),
    ('use the logging of Python, or tv.debugging.record_placement', 'summary profiler'),
    (_KERAS, 'keras initializers losses metrics'),
    ('tv.optimizers comes later; use variable.assign_sub with the gradient', 'optimizers'),
    ('tv.train.Checkpoint comes later; save variable.numpy() with numpy.savez', 'train'),
    ('save variable.numpy() of each variable with numpy.savez', 'saved_model lite'),
    (_PLUGINS, 'load_library load_op_library sysconfig raw_ops'),
    (_CLUSTER, 'distribute dtensor tpu experimental.dtensor config.experimental_connect_to_host'),
    (_CLUSTER, 'config.experimental_connect_to_cluster config.experimental.ClusterDeviceFilters'),
    (
        _COMPILER,
        'xla mlir tools security experimental.tensorrt config.optimizer '
        'config.experimental.enable_mlir_bridge config.experimental.disable_mlir_bridge '
        'experimental.function_executor_type',
    ),
    (
        _QUANTIZED,
        'quantization qint8 qint16 qint32 quint8 quint16 dtypes.qint8 dtypes.qint16 '
        'dtypes.qint32 dtypes.quint8 dtypes.quint16 dtypes.QUANTIZED_DTYPES',
    ),
    (_SMALL_TYPES, 'dtypes.experimental experimental.float4_e2m1fn experimental.float8_e4m3fn'),
    (_SMALL_TYPES, 'experimental.float8_e4m3b11fnuz experimental.float8_e4m3fnuz'),
    (_SMALL_TYPES, 'experimental.float8_e5m2 experimental.float8_e5m2fnuz'),
    (
        _SMALL_INTEGERS,
        'experimental.int2 experimental.int4 experimental.uint2 experimental.uint4',
    ),
    (_HANDLES, 'resource variant dtypes.resource dtypes.variant'),
    (
        _EXTENSION,
        'TypeSpec NoneTensorSpec OptionalSpec TensorArraySpec IndexedSlicesSpec '
        'type_spec_from_value experimental.BatchableExtensionType experimental.ExtensionType '
        'experimental.ExtensionTypeBatchEncoder experimental.ExtensionTypeSpec '
        'experimental.Optional experimental.extension_type',
    ),
    (
        _DISPATCH,
        'experimental.dispatch_for_api experimental.dispatch_for_binary_elementwise_apis '
        'experimental.dispatch_for_binary_elementwise_assert_apis '
        'experimental.dispatch_for_unary_elementwise_apis experimental.unregister_dispatch_for',
    ),
    ('give the class an __array__ method', 'register_tensor_conversion_function'),
    ('collect tensors in a list and use tv.stack', 'TensorArray'),
    ('use variable.update(fn), which is atomic, or a threading.Lock', 'CriticalSection'),
    ('use tv.constant and tensor.numpy()', 'make_ndarray make_tensor_proto'),
    ('use NumPy itself; tensors take its operators, and tv.constant its arrays',
     'experimental.numpy'),
    ('operations on the host are never asynchronous',
     'experimental.async_clear_error experimental.async_scope'),
    ('conversions are always strict', 'experimental.enable_strict_mode'),
    ('forward-mode differentiation is left out; use tape.jacobian',
     'autodiff.ForwardAccumulator'),
    ("tests use tv.testing, numpy.testing and pytest; tv.config.list_physical_devices('GPU') "
     'tells whether there is a GPU', 'test'),
    ('use tv.__version__', 'version'),
    ('tracebacks are never shortened',
     'debugging.enable_traceback_filtering debugging.disable_traceback_filtering '
     'debugging.is_traceback_filtering_enabled'),
    ('use tv.debugging.record_placement and its to_jsonl', 'debugging.experimental'),
    ('use tv.debugging.set_synchronous and get_synchronous',
     'config.experimental.set_synchronous_execution '
     'config.experimental.get_synchronous_execution'),
    (_APPROXIMATE, 'approx_top_k math.approx_max_k math.approx_min_k nn.approx_max_k'),
    (_APPROXIMATE, 'nn.approx_min_k'),
    (_OPERATORS, ' '.join(
        f'linalg.LinearOperator{kind}'
        for kind in (
            '', 'Adjoint', 'BlockDiag', 'BlockLowerTriangular', 'Circulant', 'Circulant2D',
            'Circulant3D', 'Composition', 'Diag', 'FullMatrix', 'Householder', 'Identity',
            'Inversion', 'Kronecker', 'LowRankUpdate', 'LowerTriangular', 'Permutation',
            'ScaledIdentity', 'Toeplitz', 'Tridiag', 'Zeros',
        )
    )),
    (_BANDED, 'linalg.tridiagonal_solve linalg.tridiagonal_matmul linalg.eigh_tridiagonal'),
    (_BANDED, 'linalg.banded_triangular_solve'),
    ('use tv.linalg.solve or cholesky_solve', 'linalg.experimental'),
    ('use tv.linalg.eigh for symmetric matrices, numpy.linalg.eig for others',
     'eig eigvals linalg.eig linalg.eigvals'),
    ('use scipy.linalg.logm', 'linalg.logm'),
    ('use tv.linalg.sqrtm', 'matrix_square_root'),
    (_CTC, 'nn.ctc_beam_search_decoder nn.ctc_greedy_decoder nn.ctc_loss nn.ctc_unique_labels'),
    (_CTC, 'nn.collapse_repeated'),
    (
        _CANDIDATES,
        'nn.all_candidate_sampler nn.fixed_unigram_candidate_sampler '
        'nn.learned_unigram_candidate_sampler random.all_candidate_sampler '
        'random.fixed_unigram_candidate_sampler random.learned_unigram_candidate_sampler '
        'random.log_uniform_candidate_sampler random.uniform_candidate_sampler',
    ),
    (_CANDIDATES, 'nn.compute_accidental_hits nn.nce_loss nn.sampled_softmax_loss'),
    (_RECURRENT, 'nn.RNNCellDeviceWrapper nn.RNNCellDropoutWrapper nn.RNNCellResidualWrapper'),
    (_MORPHOLOGY, 'nn.dilation2d nn.erosion2d nn.fractional_avg_pool nn.fractional_max_pool'),
    (_MORPHOLOGY, 'nn.max_pool_with_argmax nn.isotonic_regression extract_volume_patches'),
    ('use tv.nn.conv2d, whose dilations do the same, and conv2d_transpose',
     'nn.atrous_conv2d nn.atrous_conv2d_transpose nn.with_space_to_batch conv'),
    ('use the gradient of tv.nn.conv2d or depthwise_conv2d from a tape',
     'conv2d_backprop_filter_v2 conv2d_backprop_input_v2 nn.depthwise_conv2d_backprop_filter '
     'nn.depthwise_conv2d_backprop_input'),
    ('use tv.nn.avg_pool or tv.nn.max_pool', 'nn.pool'),
    ('use tv.nn.batch_normalization', 'nn.batch_norm_with_global_normalization'),
    ('there are no replicas of a model; use tv.reduce_mean',
     'nn.compute_average_loss nn.scale_regularization_loss'),
    ('use tv.nn.dropout or tv.nn.experimental.stateless_dropout',
     'nn.experimental.general_dropout'),
    (_SOUND, 'signal.dct signal.idct signal.mdct signal.inverse_mdct signal.stft'),
    (_SOUND, 'signal.inverse_stft signal.inverse_stft_window_fn signal.kaiser_window'),
    (_SOUND, 'signal.kaiser_bessel_derived_window signal.linear_to_mel_weight_matrix'),
    (_SOUND, 'signal.mfccs_from_log_mel_spectrograms'),
    ('use the transforms of fixed rank in tv.signal, such as fft2d',
     'fftnd ifftnd rfftnd irfftnd signal.fftnd signal.ifftnd signal.rfftnd signal.irfftnd'),
    ('use scipy.stats.qmc.Sobol', 'math.sobol_sample'),
    ('use scipy.special on tensor.numpy()',
     'math.special.dawsn math.special.fresnel_cos math.special.fresnel_sin '
     'math.special.spence'),
    ('use tv.random.shuffle or tv.random.experimental.stateless_shuffle',
     'random_index_shuffle random.experimental.index_shuffle'),
    ('use tv.random.Generator, or the function without stateless_ after tv.random.set_seed',
     'random.stateless_parameterized_truncated_normal'),
)  # fmt: skip

_SENTENCES = {name: sentence for sentence, names in _TABLE for name in names.split()}
_public: dict[str, Sequence[str]] = {}
"""Each namespace, as ``'math.'`` below ``tv``, with its names."""


def explanation(name: str) -> str | None:
    """What to use in place of a name that is left out.

    Args:
        name: a name below ``tv``, such as ``'nn.ctc_loss'``.

    Returns:
        A sentence; None if the table does not know the name or what it is below.
    """
    while name:
        if name in _SENTENCES:
            return _SENTENCES[name]
        name = name.rpartition('.')[0]
    return None


def install(module: str, names: Sequence[str], others: Mapping[str, Any] | None = None) -> None:
    """Gives a public namespace a ``__getattr__`` that explains what is missing.

    It is set from here, and not written in the namespace, so that type checkers go on
    reporting names that do not exist.

    Args:
        module: its ``__name__``.
        names: its ``__all__``.
        others: public names that cannot be globals of the module, with their values.
    """
    prefix = f'{module}.'.partition('.')[2]
    _public[prefix] = names

    def look_up(name: str) -> Any:
        if others is not None and name in others:
            return others[name]
        text = f'module {module!r} has no attribute {name!r}'
        sentence = explanation(prefix + name)
        if sentence is not None:
            raise AttributeError(f'{text}: it is left out on purpose; {sentence}')
        near = _elsewhere(name) or difflib.get_close_matches(name, names, 1)
        raise AttributeError(f'{text}; did you mean {near[0]!r}?' if near else text)

    vars(sys.modules[module])['__getattr__'] = look_up


def _elsewhere(name: str) -> list[str]:
    """Where a name stands that was looked for elsewhere, or NumPy's name of a reduction."""
    return [
        f'tv.{prefix}{known}'
        for known in (name, f'reduce_{name}')
        for prefix in sorted(_public)
        if known in _public[prefix]
    ]
