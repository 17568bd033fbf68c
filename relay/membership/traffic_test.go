package membership_test

import (
	"flag"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"relay/relay/membership"
)

var (
	members = flag.Int("members", 30, "size of the cluster whose traffic is measured")
	span    = flag.Duration("span", 2*time.Minute, "how long each measurement takes")
)

// packetOverhead is what IPv4 and UDP add to a packet, in bytes.
const packetOverhead = 28

// counted is a stream whose bytes are counted, those of both directions.
type counted struct {
	net.Conn
	bytes *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.bytes.Add(int64(n))
	return n, err
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	c.bytes.Add(int64(n))
	return n, err
}

// traffic is what the swarm has sent so far: packets, their bytes, streams and theirs.
func (s *swarm) traffic() (packets, packetBytes, streams, streamBytes int64) {
	for _, n := range s.nodes {
		p, b := n.packet.Load().Sent()
		packets, packetBytes = packets+p, packetBytes+b+p*(packetOverhead+membership.LabelLen)
	}
	return packets, packetBytes, s.streams.Load(), s.streamBytes.Load()
}

// measure returns what each node sends while d passes and step is called every
// second, in bit/s: packets with their headers, and streams without those of TLS.
func (s *swarm) measure(what string, d time.Duration, step func(second int)) float64 {
	p0, b0, n0, s0 := s.traffic()
	for i := range int(d / time.Second) {
		step(i)
		time.Sleep(time.Second)
	}
	synctest.Wait()
	p1, b1, n1, s1 := s.traffic()
	per := float64(len(s.nodes)) * d.Seconds()
	rate := float64(b1-b0+s1-s0) * 8 / per
	s.t.Logf("%4d members, %-40s %6.2f kb/s: packets %5.2f kb/s (%.2f a second), streams %5.2f kb/s (one every %.0f s)",
		len(s.nodes), what+":", rate/1000, float64(b1-b0)*8/per/1000, float64(p1-p0)/per,
		float64(s1-s0)*8/per/1000, per/float64(n1-n0))
	return rate
}

// TestGossipCostsLittle measures what a member sends. A share of 1% of a 3 Mb/s stream
// is 30 kb/s, for all control traffic together.
func TestGossipCostsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSwarm(t)
		defer s.stop()
		s.grow(1)
		s.measure("alone", 10*time.Second, func(int) {})
		s.measure("a crowd joins in ten seconds", 30*time.Second, func(i int) {
			if i < 10 {
				for range min(*members-len(s.nodes), (*members+9)/10) {
					s.add(s.nodes[s.rand.IntN(len(s.nodes))], s.nodes[0]) // its parent, and the root
				}
			}
		})
		s.within(15*time.Minute, "they know nearly all", func(n *node) bool { return n.Len() >= *members*95/100 })
		const most = 30_000
		if r := s.measure("at rest", *span, func(int) {}); r > most/2 {
			t.Errorf("%.0f bit/s at rest", r)
		}
		if r := s.measure("each changes its free slots every 10 s", *span, func(i int) {
			for k, n := range s.nodes {
				if (i+k)%10 == 0 {
					n.Tell(membership.Self{Addrs: n.place.Addrs, Depth: 3, Free: (i / 10) % 4, Slots: 4})
				}
			}
		}); r > most {
			t.Errorf("%.0f bit/s with many changes", r)
		}
	})
}
