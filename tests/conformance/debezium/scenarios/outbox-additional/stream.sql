insert into outbox values ('22222222-2222-2222-2222-222222222222', 'customer', '7', 'CustomerCreated', '{"name": "x", "deep": {"a": [1, 2, 3], "b": {}}}', '2026-01-02', 'b', 2);
insert into outbox values ('33333333-3333-3333-3333-333333333333', 'customer', '7', 'CustomerGone', null, '2026-01-03', null, null);
insert into outbox values ('44444444-4444-4444-4444-444444444444', 'customer', '8', 'Odd', '[1, "a"]', '2026-01-03', null, null);
insert into outbox values ('55555555-5555-5555-5555-555555555555', 'customer', '8', 'Text', '"just text"', '2026-01-03', null, null);
delete from outbox where aggregateid = '7';
insert into outbox values ('66666666-6666-6666-6666-666666666666', 'customer', '9', 'Arr', '[{"a":1},{"b":"x"}]', '2026-01-03', null, null);
