package hostile

import "strings"

// query is a query for channels (relay/discovery/design.md), and answer what answers one.
func query(b ...any) []byte {
	q := cat(b...)
	return cat(q, rep(0, max(0, 512-len(q))))
}

const (
	// discoveryChannel is one without a title.
	discoveryChannel = someID + "\x00\x01\x00\x00\x00\x01\x00"
	someID           = "%ID" // stands for 32 bytes
	discoveryQuery   = "rly?\x01\x00\x00\x00nonce678"
	discoveryAnswer  = "rly!\x01\x01\x1b\xe8nonce678"
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
		// Nobody is asked for a channel: what is named where later versions may say something changes nothing.
		Input{"a query that names a channel", query(discoveryQuery, rep(1, 32)), Answered, "rly!"},
		Input{"a query that names a node's port", query("rly?\x01\x00\x1b\xe8nonce678"), Answered, "rly!"},
		Input{"a query with an answer in its padding", query(discoveryQuery, discoveryAnswer), Answered, "rly!"},
	)
	add("a query of half its padding", good[:256])
	add("a query, a byte too short", good[:511])
	add("a query, a byte too long", good, "\x00")
	add("a query twice in one packet", good, good)
	add("a query of 1,472 bytes, as much as a cable carries", good, rep(0, 1472-512))
	add("a query of 60,000 bytes", good, rep(0, 60_000))
	add("a query of 65,507 bytes, as much as a packet holds", good, rep(0, 65_507-512))
	add("zeros", rep(0, 512))
	add("ones", rep(255, 512))
	add("an answer that ends in a channel's ID", discoveryAnswer, rep(1, 31))
	add("an answer with a title shorter than it says", discoveryAnswer, rep(1, 32), "\x00\x01\x00\x00\x00\x01\x78", rep('t', 119))
	add("an answer with a title of 255 bytes", discoveryAnswer, rep(1, 32), "\x00\x01\x00\x00\x00\x01\xff", rep('t', 255))
	add("NTP's monlist", "\x17\x00\x03\x2a", rep(0, 4))
	add("an echo of links", echoAsk)
	for _, in := range discoveryExact {
		add(in.name, strings.ReplaceAll(in.bytes, someID, string(rep(1, 32))))
	}
	for _, in := range discoveryPadded {
		add(in.name, query(strings.ReplaceAll(in.bytes, someID, string(rep(1, 32)))))
	}
	return t
}

// discoveryExact are as they are, and discoveryPadded are made as long as a query.
var (
	discoveryExact = [...]struct{ name, bytes string }{
		{"no byte", ""},
		{"one byte", "r"},
		{"the magic alone", "rly?"},
		{"half a magic", "rl"},
		{"the magic and the version", "rly?\x01"},
		{"a query that ends in its nonce", "rly?\x01\x00\x00\x00nonc"},
		{"a query without its padding", discoveryQuery},
		{"a query of a head and a byte", discoveryQuery + "\x00"},
		{"an answer of no channel", "rly!\x01\x00\x1b\xe8nonce678"},
		{"an answer of 255 channels", "rly!\x01\xff\x1b\xe8nonce678"},
		{"an answer that says two channels and has one", "rly!\x01\x02\x1b\xe8nonce678" + discoveryChannel},
		{"an answer that says one channel and has two", discoveryAnswer + discoveryChannel + discoveryChannel},
		{"an answer that ends before a title", discoveryAnswer + someID + "\x00\x01\x00\x00\x00\x01\x78"},
		{"an answer with a title longer than it says", discoveryAnswer + someID + "\x00\x01\x00\x00\x00\x01\x01tt"},
		{"an answer with port 0", "rly!\x01\x00\x00\x00nonce678"},
		{"an answer with a title that is no UTF-8", discoveryAnswer + someID + "\x00\x01\x00\x00\x00\x01\x04\xff\xfe\xfd\xfc"},
		{"an answer in a state of no meaning", discoveryAnswer + someID + "\x09\x01\x00\x00\x00\x01\x00"},
		{"an answer of 4 Tb/s", discoveryAnswer + someID + "\x00\x01\xff\xff\xff\xff\x00"},
		{"mDNS", "\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x05_http\x04_tcp\x05local\x00\x00\x0c\x00\x01"},
		{"SSDP", "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n\r\n"},
		{"DNS", "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x10\x00\x01"},
		{"memcached's stats", "\x00\x00\x00\x00\x00\x01\x00\x00stats\r\n"},
	}
	discoveryPadded = [...]struct{ name, bytes string }{
		{"version 0", "rly?\x00"},
		{"version 2", "rly?\x02"},
		{"version 255", "rly?\xff"},
		{"magic in capitals", "RLY?\x01"},
		{"magic that ends otherwise", "rly.\x01"},
		{"magic that begins a byte late", "\x00" + discoveryQuery},
		{"an answer, unasked", discoveryAnswer},
		{"an answer of version 2", "rly!\x02\x01\x1b\xe8nonce678" + discoveryChannel},
	}
)
