;; Finds pairs of bytes, sixteen places at a time. `npm run build:wasm` makes pairs-wasm.ts of it.
;;
;; The memory holds four tables of 16 bytes, then the input, which is looked at in blocks of 16 and the byte behind each: so what
;; lies behind its end is too, and is found if it is a pair. A table has a byte for each nibble, and in it a bit for each kind
;; of pair:
;;   0  kinds whose first byte may have this low nibble     16  ... this high nibble
;;  32  kinds whose second byte may have this low nibble    48  ... this high nibble
;; Where all four have a bit in common a pair may stand.
(module
  (memory (export "memory") 1)

  ;; Looks at `length` bytes of input. Writes each place to `out` and behind it, as 32 bits (at most 16 for each block begun), and
  ;; returns the end of what it wrote.
  (func (export "find") (param $length i32) (param $out i32) (result i32)
    (local $at i32)
    (local $bits i32)
    (local $first v128)
    (local $second v128)
    (local $kinds v128)
    (local $nibble v128)
    (local $firstLow v128)
    (local $firstHigh v128)
    (local $secondLow v128)
    (local $secondHigh v128)
    (local.set $nibble (i8x16.splat (i32.const 15)))
    (local.set $firstLow (v128.load (i32.const 0)))
    (local.set $firstHigh (v128.load (i32.const 16)))
    (local.set $secondLow (v128.load (i32.const 32)))
    (local.set $secondHigh (v128.load (i32.const 48)))
    (block $done
      (loop $blocks
        (br_if $done (i32.ge_u (local.get $at) (local.get $length)))
        (local.set $first (v128.load offset=64 (local.get $at)))
        (local.set $second (v128.load offset=65 (local.get $at)))
        (local.set $kinds
          (v128.and
            (v128.and
              (i8x16.swizzle (local.get $firstLow) (v128.and (local.get $first) (local.get $nibble)))
              (i8x16.swizzle (local.get $firstHigh) (i8x16.shr_u (local.get $first) (i32.const 4))))
            (v128.and
              (i8x16.swizzle (local.get $secondLow) (v128.and (local.get $second) (local.get $nibble)))
              (i8x16.swizzle (local.get $secondHigh) (i8x16.shr_u (local.get $second) (i32.const 4))))))
        (if (v128.any_true (local.get $kinds))
          (then
            (local.set $bits
              (i8x16.bitmask (i8x16.ne (local.get $kinds) (v128.const i64x2 0 0))))
            (loop $places
              (i32.store (local.get $out) (i32.add (local.get $at) (i32.ctz (local.get $bits))))
              (local.set $out (i32.add (local.get $out) (i32.const 4)))
              ;; Clears the lowest bit.
              (local.set $bits (i32.and (local.get $bits) (i32.sub (local.get $bits) (i32.const 1))))
              (br_if $places (local.get $bits)))))
        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $blocks)))
    (local.get $out)))
