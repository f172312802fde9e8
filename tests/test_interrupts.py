import signal
import threading

import pytest

from lic.interrupts import holding_interrupts, keeping_interrupts
from tests.cli.conftest import PressesCtrlC

pytestmark = pytest.mark.usefixtures("ctrl_c_raises")


def test_it_is_raised_at_once():
    with pytest.raises(KeyboardInterrupt), keeping_interrupts():
        signal.raise_signal(signal.SIGINT)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_swallowed_interrupt_is_raised_on_request():
    with keeping_interrupts() as raise_if_pressed:
        raise_if_pressed()
        PressesCtrlC()
        with pytest.raises(KeyboardInterrupt):
            raise_if_pressed()


def test_what_the_program_does_at_ctrl_c_is_done():
    pressed = []
    signal.signal(signal.SIGINT, lambda *_: pressed.append(True))
    with keeping_interrupts() as raise_if_pressed:
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            raise_if_pressed()
    with holding_interrupts():
        signal.raise_signal(signal.SIGINT)
        assert len(pressed) == 1
    assert len(pressed) == 2


@pytest.mark.parametrize("context", [keeping_interrupts, holding_interrupts])
def test_a_command_that_ignores_ctrl_c_goes_on(context):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with context() as raise_if_pressed:
        signal.raise_signal(signal.SIGINT)
        if raise_if_pressed:
            raise_if_pressed()


def test_a_held_interrupt_is_raised_at_the_end():
    done = []
    with pytest.raises(KeyboardInterrupt), holding_interrupts():
        signal.raise_signal(signal.SIGINT)
        done.append(True)
    assert done


@pytest.mark.parametrize("context", [keeping_interrupts, holding_interrupts])
def test_the_handler_of_before_comes_back(context):
    before = signal.getsignal(signal.SIGINT)
    with context():
        assert signal.getsignal(signal.SIGINT) is not before
    assert signal.getsignal(signal.SIGINT) is before


def test_other_threads_take_no_signals():
    def work():
        with holding_interrupts(), keeping_interrupts() as raise_if_pressed:
            raise_if_pressed()
            done.append(True)

    done = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done
