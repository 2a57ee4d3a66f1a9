;; A transform whose answer lies about where its batch is. Tests put other numbers where comments name them.
(module
  (memory (export "memory") 4)
  (data (i32.const 1024) "{\"plugins\":[{\"class\":\"core.Transform\",\"kind\":\"transform\"}]}")
  (data (i32.const 2048) "\ff\fe\fd")
  (global $next (mut i32) (i32.const 65536))

  (func (export "cabi_realloc") (param $old i32) (param $old-size i32) (param $align i32) (param $size i32) (result i32)
    (global.set $next (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (;realloc;) global.get $next
    (global.set $next (i32.add (global.get $next) (local.get $size))))

  (func (export "caisson:connect/manifest@0.1.0#describe") (result i32)
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 59))
    (i32.const 0))

  (func (export "caisson:connect/transform@0.1.0#start") (param i32 i32 i32 i32) (result i32)
    (i32.store (i32.const 64) (i32.const 0))
    (i32.const 64))

  ;; result<applied, error> at 128: ok, `replaced` with a list that is not there, no failures;
  ;; as an error it reads as kind 2 with a message of bytes that are no text.
  (func (export "caisson:connect/transform@0.1.0#apply") (param i32 i32) (result i32)
    (memory.fill (i32.const 128) (i32.const 0) (i32.const 64))
    (i32.store8 (i32.const 128) (i32.const (;discriminant;) 0))
    (i32.store8 (i32.const 132) (i32.const 2))
    (i32.store (i32.const 136) (i32.const (;pointer;) 0))
    (i32.store (i32.const 140) (i32.const (;length;) 0))
    (if (i32.eq (i32.load8_u (i32.const 128)) (i32.const 1))
      (then
        (i32.store (i32.const 136) (i32.const 2048))
        (i32.store (i32.const 140) (i32.const 3))))
    (i32.const 128))

  (func (export "caisson:connect/transform@0.1.0#stop")))
