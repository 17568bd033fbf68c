// Package hostile has tables of what strangers say to break a node, one for each port. An input is exact
// bytes, with a name and what must become of it. The tables follow the specifications (RTMP 1.0, AMF0,
// FLV, ISO/IEC 14496-15, RFC 8446, RFC 9112, relay/wire/spec.md, memberlist's messages) and what public
// reports say has broken other servers. It sends nothing. Where a table needs a codec, it has one of its own, made of
// the specification: a node's own would make nothing that a node would refuse, and would follow it in a mistake.
package hostile

import "relay/relay/stream"

// What sieges say, which honest peers say too.

// Shaken is a client's whole RTMP handshake.
func Shaken() []byte { return shaken }

// Get is an honest request over HTTP.
func Get(path string) []byte { return get(path) }

// ClientHello is an honest beginning of a handshake for a link.
func ClientHello() []byte { return record(22, honestHello().message()) }

// Hello asks for a channel over a link that is to be kept ready.
func Hello(ch stream.ChannelID) []byte { return linkHello(ch, 1, "\x00") }

// Ping is a packet that asks any member of a channel to answer.
func Ping(ch stream.ChannelID) []byte {
	return cat(GossipLabel(ch), gossipMessage(ping, "SeqNo", mpInt(7), "Node", mpText("")))
}

// Query asks all relays of a network for channels.
func Query(nonce uint64) []byte { return query("rly?\x01\x00\x00\x00", u64(nonce)) }
