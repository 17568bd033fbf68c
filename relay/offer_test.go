package relay

import (
	"crypto/tls"
	"net"
	"testing"

	"relay/tree"
)

// offered is an offer of node i, and the other end of its connection.
func offered(i int) (d dialed, far net.Conn) {
	near, far := net.Pipe()
	return dialed{conn: tls.Client(near, nil), peer: tree.ID{byte(i)}}, far
}

func isClosed(far net.Conn) bool {
	_, err := far.Write([]byte{0})
	return err != nil
}

// Strangers may fill the places for offers, and the source gets one all the same.
func TestTheNewestOffersAreKept(t *testing.T) {
	var o offers
	var ends []net.Conn
	for i := range maxOffers + 1 {
		d, far := offered(i)
		ends = append(ends, far)
		if !o.put(d) {
			t.Fatalf("offer %d is not kept", i)
		}
	}
	if _, ok := o.take(tree.ID{0}); ok || !isClosed(ends[0]) {
		t.Error("the oldest is kept")
	}
	again, _ := offered(3)
	o.put(again)
	if d, ok := o.take(tree.ID{3}); !ok || d.conn != again.conn || !isClosed(ends[3]) {
		t.Error("an older offer of the same node is kept")
	}
	if _, ok := o.take(tree.ID{3}); ok {
		t.Error("an offer is used twice")
	}
	o.close()
	if !isClosed(ends[maxOffers]) || o.put(again) {
		t.Error("an offer outlives its channel")
	}
}
