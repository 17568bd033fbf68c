package dht

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// Messages of the DHT (BEP 5), as far as they are asked and understood here: get and put (BEP 44), and
// find_node for nodes that know neither.

const (
	// maxPacket is the longest packet that is read, in bytes: what an Ethernet carries.
	maxPacket = 1500
	// maxToken is the longest token that is sent back, in bytes. Those of known programs have 4 to 20; a
	// long one would make a packet of ours that nobody carries.
	maxToken = 64
	// maxNodes is how many nodes are taken of one answer, of each family: as many as BEP 5 has it answer.
	maxNodes = 8

	idLen = len(ID{})
)

// Codes of errors (BEP 44).
const (
	codeUnknown = 204 // the method
	codeOlder   = 302 // the node has a record with a higher number
)

var (
	errMalformed = errors.New("it is no message of the DHT")
	errValue     = errors.New("the value is no string, or too long")
)

// txn is a transaction, by which an answer is known.
type txn [4]byte

// contact is a node: its ID, zero if that is not known, and where it is.
type contact struct {
	id ID
	at netip.AddrPort
}

// appendGet appends the question for a record, or with find for nodes near to it alone. The target stands
// there twice: github.com/anacrolix/dht (to v2.24.0) answers both questions with the nodes nearest to an
// info_hash, and so without one with those nearest to zero.
func appendGet(b []byte, t txn, self, target ID, find bool) []byte {
	b = appendText(append(b, "d1:ad2:id"...), self[:])
	b = appendText(append(b, "9:info_hash"...), target[:])
	b = appendText(append(b, "6:target"...), target[:])
	b = append(b, "4:wantl2:n42:n6ee"...) // BEP 32
	if find {
		return appendEnd(append(b, "1:q9:find_node"...), t)
	}
	return appendEnd(append(b, "1:q3:get"...), t)
}

// appendPut appends the request to keep a record. The token is the node's own.
func appendPut(b []byte, t txn, self ID, token []byte, r Record) []byte {
	b = appendText(append(b, "d1:ad2:id"...), self[:])
	b = appendText(append(b, "1:k"...), r.name.key[:])
	if r.name.salt != "" {
		b = appendText(append(b, "4:salt"...), r.name.salt)
	}
	b = appendInteger(append(b, "3:seq"...), r.seq)
	b = appendText(append(b, "3:sig"...), r.sig[:])
	b = appendText(append(b, "5:token"...), token)
	b = appendText(append(b, "1:v"...), r.value)
	return appendEnd(append(b, "e1:q3:put"...), t)
}

func appendEnd(b []byte, t txn) []byte {
	b = append(b, "2:roi1e"...) // BEP 43: nobody shall take this node for one that serves
	b = appendText(append(b, "1:t"...), t[:])
	return append(b, "1:y1:qe"...)
}

// reply is an answer, or an error that was sent instead of one.
type reply struct {
	t      txn
	code   int64 // of an error; 0 for an answer
	id     ID
	token  []byte
	nodes  []contact // maxNodes of each family at most
	record *Record   // nil for none; the name is that of the question
}

// parseTxn returns the transaction of a message, without a look at the rest.
func parseTxn(d dict) (t txn, ok bool) {
	b := d.text("t")
	if len(b) != len(t) {
		return t, false
	}
	return txn(b), true
}

// parseReply reads an answer to the question for a record of that name. The record's signature is checked.
// It refers to the packet.
func parseReply(packet []byte, of name) (r reply, err error) {
	d, ok := asDict(packet)
	if !ok {
		return r, errMalformed
	}
	if r.t, ok = parseTxn(d); !ok {
		return r, errMalformed
	}
	switch string(d.text("y")) {
	case "e":
		r.code = codeOf(d.get("e"))
		return r, nil
	case "r":
	default:
		return r, errMalformed
	}
	body := d.dict("r")
	id := body.text("id")
	if len(id) != idLen {
		return r, errMalformed
	}
	r.id = ID(id)
	if r.token = body.text("token"); len(r.token) > maxToken {
		r.token = nil
	}
	r.nodes = appendContacts(nil, body.text("nodes"), 4)
	r.nodes = appendContacts(r.nodes, body.text("nodes6"), 16)
	r.record, err = parseRecord(body, of)
	return r, err
}

// parseRecord returns the record in an answer, nil if there is none.
func parseRecord(body dict, of name) (*Record, error) {
	v := body.get("v")
	if v == nil {
		return nil, nil
	}
	value, ok := text(v)
	if !ok || len(v) > maxValue {
		return nil, errValue
	}
	seq, ok := integer(body.get("seq"))
	sig := body.text("sig")
	if !ok || len(sig) != len(Record{}.sig) || string(body.text("k")) != string(of.key[:]) {
		return nil, errSignature
	}
	r := Record{name: of, seq: seq, value: value}
	copy(r.sig[:], sig)
	return &r, r.verify()
}

// codeOf returns the code of an error, a list of a code and a text; that of an unknown method for none.
func codeOf(v []byte) int64 {
	if len(v) > 2 && v[0] == 'l' {
		if first, _, ok := cut(v[1:]); ok {
			if n, ok := integer(first); ok && n != 0 {
				return n
			}
		}
	}
	return codeUnknown
}

// appendContacts appends nodes in their compact form: 20 bytes of ID, an address of that many bytes, a port.
func appendContacts(all []contact, b []byte, addr int) []contact {
	each := idLen + addr + 2
	for n := 0; n < maxNodes && len(b) >= each; n++ {
		ip, _ := netip.AddrFromSlice(b[idLen : idLen+addr])
		port := binary.BigEndian.Uint16(b[idLen+addr:])
		all = append(all, contact{ID(b[:idLen]), netip.AddrPortFrom(ip.Unmap(), port)})
		b = b[each:]
	}
	return all
}
