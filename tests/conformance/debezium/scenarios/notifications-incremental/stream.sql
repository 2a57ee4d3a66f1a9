insert into signals values ('e1', 'execute-snapshot', '{"data-collections": ["public.a", "public.empty", "public.b"], "type": "incremental"}');
select pg_sleep(2);
insert into signals values ('e2', 'execute-snapshot', '{"data-collections": ["public.nothere"], "type": "incremental"}');
select pg_sleep(2);
