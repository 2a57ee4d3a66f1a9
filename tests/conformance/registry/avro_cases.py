import json
out=[]
def fr(schema, payload, **o):
    c={"envelope":{"schema":schema,"payload":payload}}
    if o: c["options"]={k.replace('_','.'):v for k,v in o.items()}
    out.append(c)
def to(schema, datum, **o):
    c={"schema":schema,"datum":datum}
    if o: c["options"]={k.replace('_','.'):v for k,v in o.items()}
    out.append(c)
def f(name, type, **k):
    d={"type":type} if isinstance(type,str) else dict(type)
    d.update(k); d["field"]=name
    d.setdefault("optional",False)
    return d
def struct(name,*fields,**k):
    d={"type":"struct","optional":False,"fields":list(fields)}
    if name: d["name"]=name
    d.update(k); return d
# primitives
for t,v in [("int8",-7),("int16",300),("int32",-70000),("int64",1<<40),("float",1.5),("double",-2.25),("boolean",True),("string","grüße"),]:
    fr({"type":t,"optional":False},v)
    fr({"type":t,"optional":True},v)
fr({"type":"string","optional":True},None)
fr({"type":"int32","optional":False,"name":"com.acme.Id","version":4,"doc":"an id","parameters":{"unit":"m","avro.java.string":"String"}},5)
fr({"type":"int32","optional":False,"default":12},5)
# logical
D="org.apache.kafka.connect.data."
fr({"type":"bytes","optional":False,"name":D+"Decimal","version":1,"parameters":{"scale":"2"}},"AN6t")
def log(kind,base,**p):
    d={"type":base,"name":D+kind,"version":1}
    if p: d["parameters"]=p
    return d
fr(struct("com.acme.Logical", f("dec",log("Decimal","bytes",scale="2")), f("date",log("Date","int32")), f("time",log("Time","int32")), f("ts",log("Timestamp","int64")),
   f("odec",log("Decimal","bytes",scale="3",**{"connect.decimal.precision":"10"}),optional=True), f("ots",log("Timestamp","int64"),optional=True)),
   {"dec":"AN6t","date":19000,"time":3600000,"ts":1700000000123,"odec":None,"ots":1})
fr(struct("com.acme.Dec", f("neg",log("Decimal","bytes",scale="-2")), f("big",log("Decimal","bytes",scale="70"))), {"neg":"Ag==","big":"Ag=="})
fr(struct("com.acme.DecDefault", f("d",log("Decimal","bytes",scale="2"),default="AN6t"), f("t",log("Timestamp","int64"),default=1000), f("day",log("Date","int32"),default=3,optional=True)), {"d":"AQ==","t":5,"day":None})
# structs
rec=struct("com.acme.Order", f("id","int64"), f("name","string",optional=True), f("amount","double",default=1.5), f("tag","string",optional=True,default="x"), f("small","int8"), f("short","int16",optional=True), f("raw","bytes"), f("flag","boolean",doc="a flag",version=2), version=7, doc="an order", parameters={"a":"b"})
fr(rec,{"id":1,"name":None,"amount":2.5,"tag":"y","small":3,"short":4,"raw":"AQID","flag":True})
fr(rec,{"id":1,"name":"n","amount":2.5,"tag":None,"small":3,"short":None,"raw":"","flag":False})
fr(rec,{"id":1,"name":None,"amount":2.5,"tag":"y","small":3,"short":4,"raw":"AQID","flag":True},connect_meta_data="false")
fr(struct(None,f("a",struct(None,f("b","int32"))),f("c",struct(None,f("d","string")),optional=True)),{"a":{"b":1},"c":{"d":"x"}})
fr(struct(None,f("a",struct(None,f("b","int32"))),f("c",struct(None,f("b","int32")))),{"a":{"b":1},"c":{"b":2}})
inner=struct("com.acme.Row",f("id","int32"),f("v","string",optional=True))
opt=dict(inner,optional=True)
fr(struct("com.acme.Envelope",f("before",opt),f("after",opt),f("op","string")),{"before":None,"after":{"id":1,"v":"x"},"op":"c"})
fr(struct("com.acme.Envelope",f("before",opt),f("after",inner),f("list",{"type":"array","items":opt}),f("map",{"type":"map","keys":{"type":"string","optional":False},"values":inner})),
   {"before":{"id":2,"v":None},"after":{"id":1,"v":"x"},"list":[None,{"id":3,"v":"z"}],"map":{"k":{"id":9,"v":None}}})
fr(dict(struct("com.acme.Opt",f("a","int32")),optional=True),{"a":1})
fr(dict(struct("com.acme.Opt",f("a","int32")),optional=True),None)
fr(struct("other.Same",f("a",struct("com.acme.Same",f("x","int32")))),{"a":{"x":1}})
fr(struct("NoSpace",f("a",struct("com.acme.In",f("x",struct("NoSpace2",f("y","int32")))))),{"a":{"x":{"y":1}}})
fr(struct("com.acme.Bad",f("a-b","int32")),{"a-b":1})
# arrays, maps
fr({"type":"array","items":{"type":"int32","optional":False},"optional":False},[1,2,-3])
fr({"type":"array","items":{"type":"string","optional":True},"optional":True},["a",None])
fr({"type":"array","items":{"type":"string","optional":True},"optional":True},[])
fr({"type":"map","keys":{"type":"string","optional":False},"values":{"type":"int64","optional":True},"optional":False},{"a":1})
fr({"type":"map","keys":{"type":"string","optional":True},"values":{"type":"int64","optional":True},"optional":False},[["a",1],[None,2]])
fr({"type":"map","keys":{"type":"string","optional":True},"values":{"type":"int64","optional":True},"optional":False},[["a",1]],allow_optional_map_keys="true")
fr({"type":"map","keys":{"type":"int32","optional":False},"values":{"type":"string","optional":False},"optional":False},[[1,"x"]])
fr({"type":"map","keys":{"type":"int32","optional":False},"values":{"type":"string","optional":False},"optional":True},[[1,"x"]])
fr({"type":"map","keys":{"type":"int32","optional":False},"values":{"type":"string","optional":False},"optional":False,"name":"com.acme.MyMap"},[[1,"x"]])
fr(struct("com.acme.Maps",f("m",{"type":"map","keys":{"type":"int32","optional":False},"values":{"type":"string","optional":False}}),f("n",{"type":"map","keys":{"type":"int32","optional":False},"values":{"type":"string","optional":False}},optional=True)),{"m":[[1,"x"]],"n":[[2,"y"]]})
fr(struct("com.acme.Defaults",f("l",{"type":"array","items":{"type":"int32","optional":False}},default=[1,2]),f("m",{"type":"map","keys":{"type":"string","optional":False},"values":{"type":"int32","optional":False}},default={"a":1}),f("b","bytes",default="AP8="),f("f","float",default=0.1)),{"l":[3],"m":{"b":2},"b":"AQ==","f":2.5})
# enums / fixed
en={"type":"string","optional":False,"name":"com.acme.Color","parameters":{"io.confluent.connect.avro.Enum":"com.acme.Color","io.confluent.connect.avro.Enum.RED":"RED","io.confluent.connect.avro.Enum.BLUE":"BLUE","io.confluent.connect.avro.enum.doc.Color":"colours","io.confluent.connect.avro.enum.default.Color":"RED"}}
fr(struct("com.acme.E",f("c",en)),{"c":"BLUE"})
fr(struct("com.acme.E",f("c",en),f("d",en,optional=True)),{"c":"BLUE","d":"RED"},enhanced_avro_schema_support="true")
fr(struct("com.acme.E",f("c",en)),{"c":"GREEN"},enhanced_avro_schema_support="true")
gen={"type":"string","optional":False,"name":"com.acme.Color","parameters":{"org.apache.kafka.connect.data.Enum":"com.acme.Color","org.apache.kafka.connect.data.Enum.RED":"0","org.apache.kafka.connect.data.Enum.BLUE":"1"}}
fx={"type":"bytes","optional":False,"name":"com.acme.Md5","parameters":{"connect.fixed.size":"4"}}
fr(struct("com.acme.F",f("x",fx),f("y",fx,optional=True)),{"x":"AQIDBA==","y":None})
# unions
un={"type":"struct","optional":True,"name":"io.confluent.connect.avro.Union","fields":[f("int","int32",optional=True),f("string","string",optional=True),f("Row",dict(inner,optional=True))]}
fr(struct("com.acme.U",f("u",un)),{"u":{"int":1,"string":None,"Row":None}})
fr(struct("com.acme.U",f("u",un)),{"u":{"int":None,"string":None,"Row":{"id":1,"v":None}}})
fr(struct("com.acme.U",f("u",un)),{"u":None})
# schemaless-ish values cannot be said in an envelope with schema; nulls
fr({"type":"int32","optional":False},None)
# Avro to Connect
def r(name,*fields,**k):
    d={"type":"record","name":name,"fields":[dict(x) for x in fields]}; d.update(k); return d
def g(name,type,**k):
    d={"name":name,"type":type}; d.update(k); return d
to("int",5); to("long",5); to("string","x"); to("double",1.5); to("float",1.5); to("boolean",True); to({"type":"int","connect.type":"int8"},5); to({"type":"int","connect.type":"nonsense"},5)
to(["null","int"],{"int":5}); to(["null","int"],None); to(["string","null"],{"string":"x"})
to(r("a.B",g("x","int",default=5,doc="the x"),g("y",["null","string"],default=None),g("z",["string","null"],default="zz"),doc="a record"),{"x":1,"y":{"string":"q"},"z":None})
to(r("a.B",g("x","int",default="no"),g("m",{"type":"map","values":"long"},default={"a":1}),g("l",{"type":"array","items":"string"},default=["x"]),g("b","bytes",default="\u00ff\u0001"),g("r",r("a.C",g("i","int",default=3)),default={"i":4})),{"x":1,"m":{"k":2},"l":[],"b":"\u0001","r":{"i":1}})
to(r("B",g("e",{"type":"enum","name":"E","namespace":"n","symbols":["A","B"],"doc":"an enum","default":"A"},default="B")),{"e":"A"})
to(r("B",g("e",{"type":"enum","name":"E","symbols":["A","B"]})),{"e":"A"},connect_meta_data="false")
to(r("B",g("f",{"type":"fixed","name":"F","size":3})),{"f":"\u0001\u0002\u0003"})
to(r("B",g("d",{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}),g("e",{"type":"bytes","logicalType":"decimal","precision":64}),g("t",{"type":"int","logicalType":"date"}),g("u",{"type":"int","logicalType":"time-millis"}),g("v",{"type":"long","logicalType":"timestamp-millis"}),g("w",{"type":"long","logicalType":"timestamp-micros"}),g("x",{"type":"string","logicalType":"uuid"})),{"d":"\u0001\u0002","e":"\u0005","t":100,"u":5,"v":6,"w":7,"x":"0"})
to(r("B",g("u",["null","int","string",r("n.R",g("i","int")),{"type":"array","items":"int"}])),{"u":{"n.R":{"i":5}}})
to(r("B",g("u",["null","int","string",r("n.R",g("i","int"))])),{"u":{"string":"s"}},enhanced_avro_schema_support="true")
to(r("B",g("u",["int","string"],default=7)),{"u":{"string":"s"}})
to(["int","string"],{"int":3})
to(r("B",g("u",[r("n.R",g("i","int")),r("m.R",g("i","int"))])),{"u":{"n.R":{"i":5}}})
to(r("B",g("u",[r("n.R",g("i","int")),r("m.R",g("j","int"))])),{"u":{"n.R":{"i":5}}},enhanced_avro_schema_support="true")
to(r("B",g("m",{"type":"array","items":r("io.confluent.connect.avro.MapEntry",g("key","int"),g("value","string"))})),{"m":[{"key":1,"value":"x"}]})
to(r("B",g("m",{"type":"array","items":dict(r("n.My",g("key","int"),g("value","string")),**{"connect.internal.type":"MapEntry"})})),{"m":[{"key":1,"value":"x"}]})
to(r("B",g("m",{"type":"array","items":dict(r("n.My",g("key","int")),**{"connect.internal.type":"MapEntry"})})),{"m":[{"key":1}]})
to(r("B",g("a",r("A",g("i","int"))),g("b","A"),g("c",["null","A"])),{"a":{"i":1},"b":{"i":2},"c":{"A":{"i":3}}})
to(r("B",g("n","null")),{"n":None})
to(dict(r("B",g("i",{"type":"int","connect.name":"my.Name","connect.version":5,"connect.doc":"d","connect.default":9,"connect.parameters":{"a":"b"}})),**{"connect.name":"other.Name","connect.version":2,"avro.java.string":"String"}),{"i":1})
to(dict(r("B",g("i","int")),**{"connect.version":"x"}),{"i":1})
to(dict(r("B",g("i","int")),**{"connect.parameters":{"a":1}}),{"i":1})
to(dict(r("B",g("i","int")),**{"connect.name":5}),{"i":1})
to(r("B",g("d",{"type":"int","logicalType":"date","connect.name":"wrong.Name"})),{"d":1})
to({"type":"int","logicalType":"date","connect.name":D+"Date","connect.version":2},1)
to({"type":"array","items":["null","long"]},[{"long":1},None])
to({"type":"map","values":["null","long"]},{"k":{"long":1}})
A=json.loads('{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":[{"name":"boolean","type":["null","boolean"],"default":null},{"name":"bytes","type":["null","bytes"],"default":null},{"name":"double","type":["null","double"],"default":null},{"name":"float","type":["null","float"],"default":null},{"name":"int","type":["null","int"],"default":null},{"name":"long","type":["null","long"],"default":null},{"name":"string","type":["null","string"],"default":null},{"name":"array","type":["null",{"type":"array","items":"Anything"}],"default":null},{"name":"map","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","fields":[{"name":"key","type":"Anything"},{"name":"value","type":"Anything"}]}}],"default":null}]}')
def any(**k):
    d={n:None for n in ["boolean","bytes","double","float","int","long","string","array","map"]}
    d.update(k); return d
to(A,any(int={"int":5})); to(A,any(string={"string":"x"})); to(A,any(array={"array":[any(long={"long":1}),any()]})); to(A,any(map={"array":[{"key":any(string={"string":"k"}),"value":any(boolean={"boolean":True})}]}))
for c in out: print(json.dumps(c))
