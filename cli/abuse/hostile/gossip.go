package hostile

import (
	"crypto/ed25519"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"strings"

	"relay/relay/stream"
	"relay/relay/wire"
	"relay/tree"
)

// Kinds of memberlist's messages.
const (
	ping, indirectPing, ack, suspect, alive, dead, pushPull, compound, user, compressed, encrypted, nack, withCRC, errMessage, label = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 244
)

// GossipLabel is what every packet and stream of a channel's gossip begins with.
func GossipLabel(ch stream.ChannelID) []byte {
	sum := sha256.Sum256(cat("relay/1 gossip\x00", ch[:]))
	return sum[:16]
}

// echoAsk is what a node answers to anybody (relay/wire/spec.md, Echo).
var echoAsk = cat("relay/1 echo ask", rep(7, 8))

func gossipMessage(kind byte, pairs ...any) []byte { return cat(kind, mpMap(pairs...)) }

// ghost is what members hear of a node of that key, which says that it is at these addresses.
func ghost(seed byte, ch stream.ChannelID, told uint64, addrs ...netip.AddrPort) []byte {
	key := ed25519.NewKeyFromSeed(rep(seed, ed25519.SeedSize))
	return ghostOf(key, ch, told, addrs...)
}

func ghostOf(key ed25519.PrivateKey, ch stream.ChannelID, told uint64, addrs ...netip.AddrPort) []byte {
	pub := key.Public().(ed25519.PublicKey)
	meta := wire.AppendAddrs(cat("\x01", []byte(pub), u64(told), u64(told), u16(1), u16(100), u16(100)), addrs)
	meta = append(meta, ed25519.Sign(key, cat("relay/1 member\x00", ch[:], meta))...)
	id := tree.ID(sha256.Sum256(pub))
	return aliveMessage(id.String(), addrs[0].Addr().AsSlice(), addrs[0].Port(), meta)
}

func aliveMessage(name string, ip []byte, port uint16, meta []byte) []byte {
	return gossipMessage(alive, "Incarnation", mpInt(1), "Node", mpText(name), "Addr", mpRaw(ip), "Port", mpInt(uint64(port)),
		"Meta", mpRaw(meta), "Vsn", mpRaw([]byte{1, 5, 2, 0, 0, 0}))
}

// compoundOf puts messages into one packet.
func compoundOf(messages ...[]byte) []byte {
	b := []byte{compound, byte(len(messages))}
	for _, m := range messages {
		b = cat(b, u16(len(m)))
	}
	for _, m := range messages {
		b = cat(b, m)
	}
	return b
}

// gossipTable is what strangers send to the port for packets.
func gossipTable(ch stream.ChannelID) Table {
	t := Table{Port: Gossip}
	add := func(name string, want Want, b ...any) {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: cat(b...), Want: want})
	}
	l, here := GossipLabel(ch), netip.MustParseAddrPort("127.0.0.1:9")
	in := func(name string, b ...any) { add(name, Dropped, l, cat(b...)) }
	other := append([]byte(nil), l...)
	other[0] ^= 1
	pinged := gossipMessage(ping, "SeqNo", mpInt(1), "Node", mpText(""))
	add("an echo", Answered, echoAsk)
	add("an echo, a byte too long", Dropped, echoAsk, "x")
	add("an echo, a byte too short", Dropped, echoAsk[:len(echoAsk)-1])
	add("an echo's answer", Dropped, "relay/1 echo say", rep(7, 8))
	add("no byte", Dropped)
	add("one byte", Dropped, "x")
	add("half a label", Dropped, l[:8])
	add("a label alone", Dropped, l)
	add("another channel's ping", Dropped, other, pinged)
	add("a label of zeros", Dropped, rep(0, 16), pinged)
	add("a packet of 9,000 bytes", Dropped, l, pinged, rep(0, 9000))
	add("a packet of 60,000 bytes", Dropped, l, rep(0, 60_000))
	for kind := range 16 {
		in(fmt.Sprintf("kind %d without a body", kind), byte(kind))
		in(fmt.Sprintf("kind %d of ones", kind), byte(kind), rep(255, 50))
	}
	in("memberlist's own label", byte(label), with8("x"), pinged)
	in("a compressed message that unpacks to 128 MiB", byte(compressed), mpMap("Algo", mpInt(0), "Buf", mpRaw(rep(0x80, 500))))
	in("a compressed message within a compound", compoundOf(cat(byte(compressed), rep(1, 40))))
	in("a checksum that is wrong", byte(withCRC), u32(1), byte(compressed), rep(1, 40))
	in("a checksum of nothing", byte(withCRC), u32(0))
	in("a checksum in a checksum", byte(withCRC), u32(0), byte(withCRC), u32(0), pinged)
	in("an encrypted message", byte(encrypted), "\x01", rep(9, 60))
	in("a user message", byte(user), rep('u', 60))
	in("a compound of none", byte(compound), "\x00")
	in("a compound, cut in its lengths", byte(compound), "\xff\x00\x01") // panicked in memberlist (#236)
	in("a compound, cut in a message", byte(compound), "\x01", u16(500), "abc")
	in("a compound with bytes left over", compoundOf(pinged), "more")
	in("a compound of 255 empty messages", byte(compound), "\xff", rep(0, 510))
	in("a compound within a compound", compoundOf(compoundOf(pinged)))
	in("a ping whose map announces 2^32 - 1", byte(ping), "\xdf\xff\xff\xff\xff")
	in("a ping whose map announces 65,535", byte(ping), "\xde\xff\xff")
	in("a ping in an array", byte(ping), "\x92\x01\xa1x")
	in("a ping with a name of 4 GiB", byte(ping), "\x82\xa5SeqNo\x01\xa4Node\xdb\xff\xff\xff\xff")
	in("a ping with an extension of 4 GiB", byte(ping), "\x81\xa4Node\xc9\xff\xff\xff\xff\x01")
	in("a ping with bytes of 4 GiB", byte(ping), "\x81\xa4Node\xc6\xff\xff\xff\xff")
	in("a ping with a map for a name", byte(ping), "\x81\xa4Node\x81\xa1a\x01")
	in("a ping with 100 fields", byte(ping), "\xde\x00\x64", []byte(strings.Repeat("\xa1a\x01", 100)))
	in("a ping, cut", pinged[:len(pinged)-2])
	in("a ping with bytes left over", pinged, "\x00")
	in("a ping of somebody else", gossipMessage(ping, "SeqNo", mpInt(1), "Node", mpText("somebody")))
	in("a ping with a name of 600 bytes", gossipMessage(ping, "SeqNo", mpInt(1), "Node", mpText(strings.Repeat("n", 600))))
	in("a ping whose number is negative", gossipMessage(ping, "SeqNo", "\xff", "Node", mpText("x")))
	in("a ping whose number is a string", gossipMessage(ping, "SeqNo", mpText("1"), "Node", mpText("x")))
	in("an ack that nobody waits for", gossipMessage(ack, "SeqNo", mpInt(99), "Payload", mpRaw(rep(1, 50))))
	in("a nack that nobody waits for", gossipMessage(nack, "SeqNo", mpInt(99)))
	in("a suspicion of nobody", gossipMessage(suspect, "Incarnation", mpInt(1), "Node", mpText("nobody"), "From", mpText("me")))
	in("the death of nobody", gossipMessage(dead, "Incarnation", mpInt(1<<32-1), "Node", mpText("nobody"), "From", mpText("nobody")))
	in("a member without metadata", aliveMessage(tree.ID{1}.String(), []byte{127, 0, 0, 1}, 9, nil))
	in("a member with metadata of zeros", aliveMessage(tree.ID{1}.String(), []byte{127, 0, 0, 1}, 9, rep(0, 150)))
	in("a member with metadata of 512 bytes", aliveMessage(tree.ID{1}.String(), []byte{127, 0, 0, 1}, 9, rep(1, 512)))
	in("a member whose name steers the terminal", aliveMessage("\x1b[2J\r\nERROR", []byte{127, 0, 0, 1}, 9, rep(1, 100)))
	in("a member with an address of 3 bytes", aliveMessage(tree.ID{1}.String(), []byte{127, 0, 0}, 9, nil))
	in("a member with no address", aliveMessage(tree.ID{1}.String(), nil, 0, nil))
	in("a member that another key has signed", forged(ch, here))
	in("a member of another channel", ghost(2, stream.ChannelID{9}, 1, here))
	in("a member of the year 292,277,026,596", ghost(3, ch, 1<<63-1, here))
	in("a member twice, older the second time", compoundOf(ghost(4, ch, 9, here), ghost(4, ch, 8, here)))
	return t
}

// forged is a member whose signature is by another key.
func forged(ch stream.ChannelID, at netip.AddrPort) []byte {
	b := ghost(1, ch, 1, at)
	i := len(b) - 40 // within the signature
	b[i] ^= 1
	return b
}

// streamTable is what strangers say over a stream of gossip once its handshake is over.
func streamTable(ch stream.ChannelID) Table {
	t := Table{Port: Stream}
	l, here := GossipLabel(ch), netip.MustParseAddrPort("127.0.0.1:9")
	add := func(name string, want Want, b ...any) {
		t.Inputs = append(t.Inputs, Input{Name: name, Bytes: cat(b...), Want: want})
	}
	in := func(name string, want Want, b ...any) { add(name, want, l, cat(b...)) }
	nodes := func(n any, more ...any) []byte {
		return cat(gossipMessage(pushPull, "Nodes", n, "UserStateLen", mpInt(0), "Join", mpBool(true)), cat(more...))
	}
	add("nothing", Ended)
	add("half a label", Ended, l[:8])
	add("a label of zeros", Refused, rep(0, 16), byte(ping))
	add("a label of another channel", Refused, GossipLabel(stream.ChannelID{9}), nodes(mpInt(0)))
	in("a label alone", Ended)
	for _, kind := range []byte{indirectPing, suspect, alive, dead, compound, user, compressed, encrypted, nack, withCRC, 14, 99, label, 255} {
		in(fmt.Sprintf("kind %d", kind), Refused, kind, rep(1, 40))
	}
	in("a ping that is cut", Ended, byte(ping), "\x82\xa5SeqNo")
	in("a ping with a name of 4 GiB", Refused, byte(ping), "\x82\xa5SeqNo\x01\xa4Node\xdb\xff\xff\xff\xff")
	in("an error of 600 bytes", Refused, byte(errMessage), mpMap("Error", mpText(strings.Repeat("e", 600))))
	in("a million nodes announced", Refused, nodes(mpInt(1_000_000)))
	in("2^63 nodes announced", Refused, nodes(mpInt(1<<63)))
	in("fewer nodes than none", Refused, nodes("\xff"))
	in("nodes that do not come", Ended, nodes(mpInt(100)))
	in("user state of 20 MiB", Refused, gossipMessage(pushPull, "Nodes", mpInt(0), "UserStateLen", mpInt(20<<20), "Join", mpBool(true)))
	in("2,000 nodes of zeros", Refused, nodes(mpInt(2000), rep(0, 4096)))
	in("600 KiB of nodes", Refused, nodes(mpInt(2048), []byte(strings.Repeat(string(aliveMessage(tree.ID{}.String(), rep(1, 4), 1, rep(1, 300))[1:]), 1600))))
	in("50 signed ghosts", Answered, nodes(mpInt(50), ghosts(ch, 50, here)))
	in("HTTP", Refused, "GET / HTTP/1.1\r\n\r\n")
	return t
}

// ghosts are signed members in the form of a push/pull, which says of a member its state too.
func ghosts(ch stream.ChannelID, n int, at netip.AddrPort) []byte {
	var b []byte
	for i := range n {
		g := ghost(byte(100+i), ch, 1, at)
		b = cat(b, "\x87", g[2:], mpText("State"), mpInt(0))
	}
	return b
}

// Ghost is a packet that tells members of one that is not there, signed with a key of its own.
func Ghost(key ed25519.PrivateKey, ch stream.ChannelID, told uint64, at netip.AddrPort) []byte {
	return cat(GossipLabel(ch), ghostOf(key, ch, told, at))
}
