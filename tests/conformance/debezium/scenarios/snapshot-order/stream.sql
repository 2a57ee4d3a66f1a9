insert into a values (11, 'x', 1);
update b set v = 'z' where id = 1;
