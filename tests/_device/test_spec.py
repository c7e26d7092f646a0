import pytest

from tensorvar import errors
from tensorvar._device import spec
from tensorvar._device.device import intern
from tensorvar._device.spec import DeviceSpec

DEVICES = (intern('CPU', 0), intern('GPU', 0), intern('GPU', 1))


@pytest.mark.parametrize(
    'text',
    [
        'GPU:1', 'gpu:1', 'Gpu:1', '/GPU:1', '/gpu:1', '/device:GPU:1', 'device:GPU:1',
        '/device:gpu:1', 'cuda:1', 'CUDA:1', '/cuda:1', '/device:CUDA:1', 'GPU:01', '/GPU:1/',
    ],
)  # fmt: skip
def test_spellings_of_one_device(text: str) -> None:
    parsed = spec.parse(text)
    assert parsed.selector is None
    assert parsed.spec == DeviceSpec(device_type='GPU', device_index=1)
    assert hash(parsed.spec) == hash(DeviceSpec.from_string('GPU:1'))


@pytest.mark.parametrize('text', ['CPU', 'cpu', '/cpu', 'CPU:*', '/device:CPU:*'])
def test_open_index(text: str) -> None:
    assert spec.parse(text).spec == DeviceSpec(device_type='CPU')


@pytest.mark.parametrize('text', ['', '/'])
def test_nothing_asked_for(text: str) -> None:
    assert spec.parse(text).spec == DeviceSpec()


def test_full_name() -> None:
    text = '/job:worker/replica:1/task:2/device:GPU:3'
    found = DeviceSpec.from_string(text)
    assert (found.job, found.replica, found.task) == ('worker', 1, 2)
    assert (found.device_type, found.device_index) == ('GPU', 3)
    assert found.to_string() == text


@pytest.mark.parametrize('text', ['GPU:auto', 'gpu:auto', '/GPU:AUTO', 'cuda:auto'])
def test_auto(text: str) -> None:
    assert spec.parse(text).selector == 'auto'


@pytest.mark.parametrize(
    'text', ['GPU-11112222-3333-4444-5555-666677778888', 'gpu-1111', '/GPU-1111', 'GPU-simulated-0']
)
def test_uuid(text: str) -> None:
    assert spec.parse(text).selector == text.strip('/')


@pytest.mark.parametrize(
    ('text', 'nearest'),
    [
        ('GPUO', 'GPU:0'), ('GPU:O', 'GPU:0'), ('gpu 1', 'GPU:1'), ('GPU-0', 'GPU:0'),
        ('cuda1', 'GPU:1'), (' CPU:0', 'CPU:0'), ('CPU:0:0', 'CPU:0'), ('CPU:x', 'CPU:0'),
        ('/physical_device:GPU:1', 'GPU:1'), ('/device:GPU 0', 'GPU:0'), ('device:', None),
        ('foo', None), ('/foo:0', None), ('CPU:auto', 'CPU:0'), ('/replica:x/CPU:0', 'CPU:0'),
        ('/task:*', None), ('/job:', None), ('xla', None),
    ],
)  # fmt: skip
def test_a_bad_name_gets_the_nearest_one_and_the_devices(text: str, nearest: str | None) -> None:
    with pytest.raises(ValueError, match='is no device name') as caught:
        spec.parse(text, DEVICES)
    message = str(caught.value)
    assert isinstance(caught.value, errors.InvalidArgumentError)
    assert repr(text) in message
    assert 'the devices here are CPU:0, GPU:0, GPU:1' in message
    assert (f'did you mean {nearest!r}?' in message) == (nearest is not None), message


def test_two_types_are_refused() -> None:
    with pytest.raises(ValueError, match="two parts of the sort 'device"):
        spec.parse('/GPU:0/CPU:0')


def test_without_devices_none_are_listed() -> None:
    with pytest.raises(ValueError, match="did you mean 'GPU:0'") as caught:
        DeviceSpec.from_string('GPUO')
    assert 'the devices here' not in str(caught.value)


@pytest.mark.parametrize('text', ['GPU:auto', 'GPU-1111'])
def test_a_spec_selects_no_card(text: str) -> None:
    with pytest.raises(ValueError, match='selects a card'):
        DeviceSpec.from_string(text)


def test_constructor() -> None:
    made = DeviceSpec(job='x', replica='1', task=0, device_type='gpu', device_index='1')
    assert made.to_string() == '/job:x/replica:1/task:0/device:GPU:1'
    assert made.device_index == 1
    assert DeviceSpec(device_type='CPU', device_index=-1).to_string() == '/device:CPU:-1'
    assert DeviceSpec(device_type='CPU').to_string() == '/device:CPU:*'
    assert DeviceSpec(device_type='').device_type is None
    assert DeviceSpec().to_string() == ''
    with pytest.raises(ValueError, match="replica is 'x'"):
        DeviceSpec(replica='x')
    with pytest.raises(ValueError, match='device_index'):
        DeviceSpec(device_index='first')


def test_value_object() -> None:
    one = DeviceSpec.from_string('/job:a/GPU:1')
    assert one == DeviceSpec.from_string('/job:a/device:GPU:1')
    assert one != DeviceSpec.from_string('GPU:1')
    assert one != 'GPU:1'
    assert len({one, DeviceSpec.from_string('/job:a/gpu:1')}) == 1
    assert 'job=a' in repr(one)
    with pytest.raises(AttributeError):
        one.job = 'b'  # type: ignore[misc]
    with pytest.raises(AttributeError):
        one.other = 'b'  # type: ignore[attr-defined]


def test_replace_and_merge() -> None:
    one = DeviceSpec.from_string('/job:a/GPU:1')
    assert one.replace(job='b').to_string() == '/job:b/device:GPU:1'
    assert one.replace(device_index=None).to_string() == '/job:a/device:GPU:*'
    merged = one.make_merged_spec(DeviceSpec.from_string('CPU'))
    assert merged.to_string() == '/job:a/device:CPU:1'
    assert one.parse_from_string('/CPU:0').to_string() == '/device:CPU:0'
    assert one.to_string() == '/job:a/device:GPU:1'
    with pytest.raises(TypeError):
        one.replace(colour=1)
