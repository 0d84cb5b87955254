"""Transformers' continuous batching manager, kept within bounds and made anew when it breaks. Imports torch and transformers."""

import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig
from transformers.generation.continuous_batching.model_runner import infer_max_single_request_tokens

from frontdesk.core.errors import ConfigurationError
from frontdesk.plugins.models.local import attention
from frontdesk.plugins.models.local.chooser import Choice, Chooser
from frontdesk.plugins.models.local.engine import Sampling
from frontdesk.plugins.models.local.sampling import checkpoint_processors

logger = logging.getLogger(__name__)

PAGE = 32
"""Tokens of a block of the cache: what beginnings of prompts are shared by, and requests are rounded up to."""

CPU_STEP = 256
GPU_STEP = 1024
"""Tokens read in one step at most: long prompts are read in pieces, between which the other conversations go on."""

CHECKED = 4
"""Tokens that a model writes before it is trusted with batches: those behind the first are read from the cache."""

SAME = 0.99
"""Logits, alone and in a batch, are the same by this cosine: half precision has 0.9999, another computation none to speak of."""


class NotBatchable(Exception):
    """The manager cannot run this family of models, or computes something else with it."""


class Batcher:
    """The manager's life. Methods that block are said to: they are called in threads.

    What goes wrong in the manager's thread goes wrong in silence: it ends, and requests wait for ever. `problem` says so.
    """

    def __init__(self, model: Any, *, cache_tokens: int, concurrent: int, stall_seconds: float) -> None:
        """`cache_tokens` of all requests, of which `concurrent` are in a batch. A step takes less than `stall_seconds`."""
        # An adapter beside quantized weights wraps the model; its layers are in the model itself.
        self._model = model.get_base_model() if hasattr(model, "get_base_model") else model
        self._blocks = max(1, cache_tokens // PAGE)
        self._concurrent = concurrent
        self._stall_seconds = stall_seconds
        self._attention = self._model.config.get_text_config()._attn_implementation
        # Elsewhere the library's own way is the better one, or the only one.
        self._packed = self._attention == "sdpa" and self._model.device.type == "cpu"
        self._processors = checkpoint_processors(self._model.generation_config)
        self._manager: Any = None
        self._abandoned: list[threading.Thread] = []
        self._sign: tuple[Any, float] = (None, 0.0)
        self.chooser = Chooser()
        self.capacity = 0
        """The most tokens that one request may have, and all together."""

    @property
    def cache_bytes(self) -> int:
        return int(self._cache.cache_tensor.nbytes)

    @property
    def abandoned(self) -> int:
        """Threads that hang in a step, and cannot be ended."""
        self._abandoned = [thread for thread in self._abandoned if thread.is_alive()]
        return len(self._abandoned)

    @property
    def beside(self) -> bool:
        """Whether the model can be called alone while its batch runs."""
        return bool(self._attention == "sdpa")

    @property
    def _cache(self) -> Any:
        return self._manager.batch_processor.cache

    def start(self) -> None:
        """Blocks until the cache is there. Raises `ConfigurationError` if it does not fit, and `NotBatchable`."""
        self._make()
        logger.info("cache of %d tokens, %.0f MB", self.capacity, self.cache_bytes / 1e6)

    def renew(self) -> None:
        """Blocks. A new manager in place of the broken one. Raises as `start`."""
        self.stop()
        self._make()

    def stop(self) -> None:
        """Blocks for a moment: a thread that hangs is left alone."""
        manager, self._manager = self._manager, None
        if manager is None:
            return
        thread = manager._generation_thread
        manager.stop(block=True, timeout=1.0, hard_stop=True)
        if thread.is_alive():
            self._abandoned.append(thread)
        if self._packed:
            self._model.set_attn_implementation(self._attention)
        self.chooser = Chooser()

    def _make(self) -> None:
        manager = None
        try:
            manager = self._new_manager()
            manager.start()
            while manager.batch_processor is None and manager.is_running():
                time.sleep(0.005)
            if manager.batch_processor is None:
                raise manager.background_thread_status.fatal_error or RuntimeError("its thread has ended")
        except Exception as error:
            if manager is not None:
                manager.stop(block=False, hard_stop=True)
            self._model.set_attn_implementation(self._attention)
            raise self._refused(error) from error
        self._manager = manager
        self._sign = (None, time.monotonic())
        self.capacity = int(infer_max_single_request_tokens(self._cache))

    def _refused(self, error: BaseException) -> Exception:
        if isinstance(error, MemoryError | torch.OutOfMemoryError) or "allocate memory" in str(error):
            return ConfigurationError(
                f"models.chat.cache_tokens = {self._blocks * PAGE} takes more memory than there is beside the model: lower it"
            )
        return NotBatchable(f"{type(error).__name__}: {error}")

    def _new_manager(self) -> Any:
        # Its warnings have token ids of prompts in them.
        logging.getLogger("ContinuousBatchingLogger").setLevel(logging.ERROR)
        step = CPU_STEP if self._model.device.type == "cpu" else GPU_STEP
        manager = self._model.init_continuous_batching(
            # All that is chosen is chosen by the `Chooser`.
            generation_config=GenerationConfig(do_sample=False, eos_token_id=-1, max_new_tokens=1),
            continuous_batching_config=ContinuousBatchingConfig(
                page_size=PAGE,
                num_blocks=self._blocks,
                max_batch_tokens=max(step, self._concurrent),
                max_requests_per_batch=self._concurrent,
                # There is room for all that have been let in.
                safety_margin=0.0,
                use_cuda_graph=False,
                # Would draw the next step's tokens before this one's are chosen.
                use_async_batching=False,
                # It looks for kernels on the hub.
                auto_switch_to_flash=False,
            ),
        )
        manager.logit_processor = self.chooser.processors()
        if self._packed:
            self._model.set_attn_implementation(attention.register())
        return manager

    def add(
        self, request_id: str, ids: Sequence[int], sampling: Sampling, ends: frozenset[int], deliver: Callable[[Any], None]
    ) -> Choice | None:
        """On the event loop, where `deliver` is called with transformers' outputs. None if the manager takes no requests."""
        choice = Choice(sampling, self._processors)
        self.chooser.choices[request_id] = choice
        self._manager.register_result_handler(request_id, deliver)
        added = self._manager.add_request(
            list(ids), request_id=request_id, max_new_tokens=sampling.max_tokens, streaming=True, eos_token_id=sorted(ends)
        )
        if added is None:
            self.forget(request_id)
            return None
        return choice

    def cancel(self, request_id: str) -> None:
        """Its blocks are free for whoever is added after this."""
        if self._manager is not None:
            self._manager.cancel_request(request_id)
        self.forget(request_id)

    def forget(self, request_id: str) -> None:
        self.chooser.choices.pop(request_id, None)
        if self._manager is not None:
            self._manager.output_router.result_handlers.pop(request_id, None)

    def problem(self, *, running: int) -> str | None:
        """What is wrong, while so many requests run; to be asked several times in `stall_seconds`. Never words of a prompt."""
        manager = self._manager
        if manager is None:
            return "the model's batch is not running"
        error = manager.background_thread_status.fatal_error
        if error is not None:
            return f"the model broke in a step: {type(error).__name__}"
        if not manager.is_running():
            return "the model's thread has ended"
        # What came for requests that had been cancelled a moment before.
        while not manager.output_router.output_queue.empty():
            manager.output_router.output_queue.get_nowait()
        now = time.monotonic()
        # Those who waited may have gone; what they left in the queues is taken up between two steps.
        busy = running or not manager.cancel_queue.empty() or not manager.input_queue.empty()
        sign = getattr(manager, "current_batch", 0)
        if not busy or sign != self._sign[0]:
            self._sign = (sign, now)
        elif now - self._sign[1] > self._stall_seconds:
            return f"the model has made no step for {self._stall_seconds:g} s"
        return None

    def check(self, vocabulary: int) -> None:
        """Blocks. Compares logits of a batch with those of plain calls, and raises `NotBatchable`.

        A family whose attention does not go through transformers' interface would compute, in silence, something else.
        """
        prompts = {
            f"check-{length}": [(length + 7 * place) % vocabulary for place in range(length)]
            for length in (PAGE // 4, 3 * PAGE // 2)
        }
        manager = self._manager
        for request_id, ids in prompts.items():
            self.chooser.choices[request_id] = Choice(Sampling(max_tokens=CHECKED), keep_logits=True)
            manager.add_request(ids, request_id=request_id, max_new_tokens=CHECKED, eos_token_id=[])
        outputs: dict[str, Any] = {}
        while len(outputs) < len(prompts) and manager.is_running():
            output = manager.get_result(timeout=0.1)
            if output is not None and output.is_finished():
                outputs[output.request_id] = output
        choices = {request_id: self.chooser.choices.pop(request_id) for request_id in prompts}
        if len(outputs) < len(prompts) or any(output.error is not None for output in outputs.values()):
            while manager.is_running():
                time.sleep(0.005)
            error = manager.background_thread_status.fatal_error or RuntimeError("its thread has ended")
            raise self._refused(error) from error
        for request_id, ids in prompts.items():
            plain = self._plain([*ids, *outputs[request_id].generated_tokens[:-1]])
            batched = choices[request_id].logits
            cosine = torch.cosine_similarity(plain - plain.mean(), batched - batched.mean(), dim=0)
            if not math.isfinite(cosine) or cosine < SAME:
                raise NotBatchable(f"logits in a batch are not those of the model alone (cosine {float(cosine):.3f})")

    def _plain(self, ids: list[int]) -> Any:
        implementation = self._model.config.get_text_config()._attn_implementation
        self._model.set_attn_implementation(self._attention)
        try:
            with torch.no_grad():
                return self._model(torch.tensor([ids], device=self._model.device), use_cache=False).logits[0, -1].float()
        except Exception as error:
            raise self._refused(error) from error
        finally:
            self._model.set_attn_implementation(implementation)
