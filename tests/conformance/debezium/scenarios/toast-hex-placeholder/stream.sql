update docs set n = 2 where id = 1;
update docs set t = 'short' where id = 1;
update docs set id = 2 where id = 1;
update docs set a = array['p'] where id = 2;
delete from docs where id = 2;