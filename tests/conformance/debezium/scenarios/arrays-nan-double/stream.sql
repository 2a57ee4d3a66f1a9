insert into nans values (11, '{NaN,1}', '{1}');
insert into nans values (12, '{1}', '{NaN}');
insert into nans values (13, '{1.5,2}', '{2.5}');
