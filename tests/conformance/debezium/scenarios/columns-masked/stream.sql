insert into c values (11, 'hello wörld', 'abcdefgh', 'ch', 'CiText', 'happy', '{"a":1}', 5, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{abc,def}', 'domain', '\xdead', '<a/>', 1.5, '2026-01-01', 'nn'), (12, null, null, null, null, null, null, null, null, null, null, null, null, null, null, 'x');
update c set n = 6 where id = 11;
update k set id = 'key2';
delete from k;
delete from c where id = 11;
