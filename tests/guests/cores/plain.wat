;; A transform that changes nothing: the ground on which tests build modules with one fault.
(module
  (memory (export "memory") (;pages;) 2)
  (table (;elements;) 1 funcref)
  (data (i32.const 1024) "{\"plugins\":[{\"class\":\"core.Transform\",\"kind\":\"transform\"}]}")
  (global $next (mut i32) (i32.const 65536))
  (;more;)

  (func (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    global.get $next
    (global.set $next (i32.add (global.get $next) (local.get $size))))

  (func (export "caisson:connect/manifest@0.1.0#describe") (result i32)
    (;describe;)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const (;manifest-length;) 59))
    (i32.const 0))

  (func (export "caisson:connect/transform@0.1.0#start") (param i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 64) (i32.const 0))
    (i32.const 64))

  (func (export "caisson:connect/transform@0.1.0#apply") (param i32 i32) (result i32)
    (;apply;)
    (memory.fill (i32.const 128) (i32.const 0) (i32.const 64))
    (i32.const 128))

  (func (export "caisson:connect/transform@0.1.0#stop")))
