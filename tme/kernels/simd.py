"""Vector instructions that loops over arrays do not compile to: an 8 x 8 transpose in registers (`transpose_block`), a copy
of 64 numbers (`copy_64`), a scaled addition of eight (`add_scaled_8`), and prefetches of cache lines (`prefetch`, `prefetch_64`).

A loop that reads rows and writes columns moves one number at a time. `transpose_block` exchanges eight vectors of eight
numbers in 24 shuffles, for which LLVM has instructions on every machine with vectors. Without the compiler plain loops do the same.
"""

from __future__ import annotations

import numba
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

EIGHT = 8
_PAIRS = ([0, 8, 2, 10, 4, 12, 6, 14], [1, 9, 3, 11, 5, 13, 7, 15])
_FOURS = ([0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15])
_HALVES = ([0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15])
_VECTOR = ir.VectorType(ir.DoubleType(), EIGHT)


def _address(context, build, sig, args, which, offset):
    """Address of eight numbers of the flat array argument `which`, `offset` after the index in the next argument."""
    data = context.make_array(sig.args[which])(context, build, args[which]).data
    return build.bitcast(build.gep(data, [build.add(args[which + 1], offset)]), _VECTOR.as_pointer())


def _load(build, address):
    """Load eight numbers; the address need not be aligned to a vector."""
    numbers = build.load(address)
    numbers.align = 8
    return numbers


def _stage(build, rows, step, masks):
    """One stage of the transpose: exchange blocks of `step` between rows that are `step` apart."""
    lanes = ir.VectorType(ir.IntType(32), EIGHT)
    out = list(rows)
    for k in range(EIGHT):
        if k & step == 0:
            for part, mask in enumerate(masks):
                out[k + part * step] = build.shuffle_vector(rows[k], rows[k + step], ir.Constant(lanes, mask))
    return out


def _transpose_block(typingctx, source, at, stride, out, to, out_stride):
    """out[to + j * out_stride + i] = source[at + i * stride + j] for i, j < 8; flat float64 arrays, uint64 numbers."""
    signature = types.void(source, types.uint64, types.uint64, out, types.uint64, types.uint64)

    def generate(context, build, sig, args):
        def address(which, k):
            return _address(context, build, sig, args, which, build.mul(args[which + 2], ir.Constant(ir.IntType(64), k)))

        rows = [_load(build, address(0, k)) for k in range(EIGHT)]
        for step, masks in ((1, _PAIRS), (2, _FOURS), (4, _HALVES)):
            rows = _stage(build, rows, step, masks)
        for k in range(EIGHT):
            build.store(rows[k], address(3, k)).align = 8
        return context.get_dummy_value()

    return signature, generate


def _transpose_slowly(source, at, stride, out, to, out_stride):
    """The same without the compiler."""
    for j in range(EIGHT):
        for i in range(EIGHT):
            out[int(to) + j * int(out_stride) + i] = source[int(at) + i * int(stride) + j]


transpose_block = _transpose_slowly if numba.config.DISABLE_JIT else intrinsic(_transpose_block)


def _copy_64(typingctx, source, at, out, to):
    """out[to + i] = source[at + i] for i < 64; flat float64 arrays, uint64 numbers."""

    def generate(context, build, sig, args):
        for k in range(EIGHT):
            offset = ir.Constant(ir.IntType(64), EIGHT * k)
            numbers = _load(build, _address(context, build, sig, args, 0, offset))
            build.store(numbers, _address(context, build, sig, args, 2, offset)).align = 8
        return context.get_dummy_value()

    return types.void(source, types.uint64, out, types.uint64), generate


def _copy_slowly(source, at, out, to):
    """The same without the compiler."""
    out[int(to) : int(to) + 64] = source[int(at) : int(at) + 64]


copy_64 = _copy_slowly if numba.config.DISABLE_JIT else intrinsic(_copy_64)


def _add_scaled_8(typingctx, scale, source, at, out, to):
    """out[to + i] += scale * source[at + i] for i < 8; flat float64 arrays, uint64 numbers."""

    def generate(context, build, sig, args):
        none, zero = ir.Constant(_VECTOR, ir.Undefined), ir.IntType(32)(0)
        first = build.insert_element(none, args[0], zero)
        scales = build.shuffle_vector(first, none, ir.Constant(ir.VectorType(ir.IntType(32), EIGHT), [0] * EIGHT))
        here = ir.Constant(ir.IntType(64), 0)
        target = _address(context, build, sig, args, 3, here)
        more = build.fmul(scales, _load(build, _address(context, build, sig, args, 1, here)))
        build.store(build.fadd(_load(build, target), more), target).align = 8
        return context.get_dummy_value()

    return types.void(types.float64, source, types.uint64, out, types.uint64), generate


def _add_scaled_slowly(scale, source, at, out, to):
    """The same without the compiler."""
    for i in range(EIGHT):
        out[int(to) + i] += scale * source[int(at) + i]


add_scaled_8 = _add_scaled_slowly if numba.config.DISABLE_JIT else intrinsic(_add_scaled_8)


def _prefetch_lines(context, build, sig, args, lines):
    """Prefetch `lines` cache lines from array[at] on."""
    data = context.make_array(sig.args[0])(context, build, args[0]).data
    byte, word = ir.IntType(8).as_pointer(), ir.IntType(32)
    hint = build.module.declare_intrinsic("llvm.prefetch", (byte,), ir.FunctionType(ir.VoidType(), [byte, word, word, word]))
    for k in range(lines):
        offset = build.add(args[1], ir.Constant(ir.IntType(64), EIGHT * k))
        build.call(hint, [build.bitcast(build.gep(data, [offset]), byte), word(0), word(2), word(1)])
    return context.get_dummy_value()


def _prefetch(typingctx, array, at):
    """Prefetch the cache line of array[at] (flat float64 array, uint64 index); the index may lie outside the array."""
    return types.void(array, types.uint64), lambda *given: _prefetch_lines(*given, 1)


def _prefetch_64(typingctx, array, at):
    """Prefetch the cache lines of array[at : at + 64]; they may lie outside the array."""
    return types.void(array, types.uint64), lambda *given: _prefetch_lines(*given, EIGHT)


def _no_prefetch(array, at):
    """Without the compiler there is nothing to prefetch."""


prefetch = _no_prefetch if numba.config.DISABLE_JIT else intrinsic(_prefetch)
prefetch_64 = _no_prefetch if numba.config.DISABLE_JIT else intrinsic(_prefetch_64)
