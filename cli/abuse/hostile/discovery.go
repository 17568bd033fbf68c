package hostile

// query is a query for channels (relay/discovery/design.md), and answer what answers one.
func query(b ...any) []byte {
	q := cat(b...)
	return cat(q, rep(0, max(0, 512-len(q))))
}

const (
	discoveryQuery  = "rly?\x01\x00\x00\x00nonce678"
	discoveryAnswer = "rly!\x01\x01\x1b\xe8nonce678"
)

// discoveryTable is what strangers on the network send to the port of those who are looked for.
func discoveryTable() Table {
	t := Table{Port: Discovery}
	add := func(name string, b ...any) {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: cat(b...), Want: Dropped})
	}
	good := query(discoveryQuery)
	t.Inputs = append(t.Inputs,
		Input{"an honest query", good, Answered, "rly!"},
		Input{"a query of round 255", query("rly?\x01\xff\x00\x00nonce678"), Answered, "rly!"},
		Input{"a query whose padding is rubbish", cat(discoveryQuery, rep(0xee, 512-16)), Answered, "rly!"},
		Input{"a query of a nonce of zeros", query("rly?\x01\x00\x00\x00", rep(0, 8)), Answered, "rly!"},
	)
	add("no byte")
	add("one byte", "r")
	add("the magic alone", "rly?")
	add("a query without its padding", discoveryQuery)
	add("a query, a byte too short", good[:511])
	add("a query, a byte too long", good, "\x00")
	add("a query of 60,000 bytes", good, rep(0, 60_000))
	add("version 0", query("rly?\x00"))
	add("version 2", query("rly?\x02"))
	add("version 255", query("rly?\xff"))
	add("magic in capitals", query("RLY?\x01"))
	add("zeros", rep(0, 512))
	add("ones", rep(255, 512))
	add("an answer, unasked", query(discoveryAnswer))
	add("an answer of no channel", "rly!\x01\x00\x1b\xe8nonce678")
	add("an answer of 255 channels", "rly!\x01\xff\x1b\xe8nonce678")
	add("an answer with port 0", "rly!\x01\x00\x00\x00nonce678")
	add("an answer with a title of 255 bytes", discoveryAnswer, rep(1, 32), "\x00\x01\x00\x00\x00\x01\xff", rep('t', 255))
	add("an answer with a title that is no UTF-8", discoveryAnswer, rep(1, 32), "\x00\x01\x00\x00\x00\x01\x04\xff\xfe\xfd\xfc")
	add("an answer in a state of no meaning", discoveryAnswer, rep(1, 32), "\x09\x01\x00\x00\x00\x01\x00")
	add("an answer of 4 Tb/s", discoveryAnswer, rep(1, 32), "\x00\x01\xff\xff\xff\xff\x00")
	add("mDNS", "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05_http\x04_tcp\x05local\x00\x00\x0c\x00\x01")
	add("SSDP", "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n")
	add("DNS", "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x10\x00\x01")
	add("NTP's monlist", "\x17\x00\x03\x2a", rep(0, 4))
	add("memcached's stats", "\x00\x00\x00\x00\x00\x01\x00\x00stats\r\n")
	add("an echo of links", echoAsk)
	return t
}
