insert into signals values ('b1', 'execute-snapshot', '{"data-collections": ["public.a", "public.b"], "type": "blocking"}');
select pg_sleep(2);
insert into a values (70, 'after');
