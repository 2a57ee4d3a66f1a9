insert into a values (12, 'y', 2);
