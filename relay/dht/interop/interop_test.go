package interop

import (
	"crypto/ed25519"
	"crypto/sha1"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	other "github.com/anacrolix/dht/v2"
	"github.com/anacrolix/dht/v2/bep44"
	"github.com/anacrolix/dht/v2/krpc"
	"github.com/anacrolix/log"
	"github.com/anacrolix/torrent/bencode"
	"golang.org/x/time/rate"

	"relay/relay/dht"
	"relay/relay/refusal"
	"relay/relay/seal"
	"relay/relay/stream"
	"relay/tree"
)

// count is how many nodes the other implementation's DHT has.
const count = 50

// coldMost is how long a look-up by a client that knows one node may take until the channel is found. It takes some ms where
// nothing has to travel: a second is lost only to somebody who does not answer, and here everybody does.
const coldMost = 2 * time.Second

// network runs nodes of the other implementation, each at an address of its own, and returns them.
func network(t *testing.T) []*other.Server {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has all of 127.0.0.0/8")
	}
	var all []*other.Server
	for i := range count {
		conn, err := net.ListenPacket("udp4", fmt.Sprintf("127.0.1.%d:0", i+1))
		if err != nil {
			t.Fatal(err)
		}
		cfg := other.NewDefaultServerConfig()
		cfg.Conn, cfg.NoSecurity, cfg.Logger = conn, true, log.NewLogger().FilterLevel(log.Critical)
		cfg.SendLimiter = rate.NewLimiter(rate.Inf, 1)
		cfg.NodeId = krpc.ID(sha1.Sum(fmt.Appendf(nil, "node %d", i)))
		cfg.StartingNodes = func() ([]other.Addr, error) { return nil, nil }
		s, err := other.NewServer(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		all = append(all, s)
	}
	// They tell of nodes that have answered them. Each knows as many of these as its buckets hold.
	var pings sync.WaitGroup
	for i, s := range all {
		pings.Go(func() {
			for j := range all {
				if j != 0 {
					s.Ping(all[(i+j)%count].Addr().(*net.UDPAddr))
				}
			}
		})
	}
	pings.Wait()
	return all
}

// client is one of ours that knows one of theirs.
func client(from *other.Server, refused *refusal.Counts) *dht.Client {
	return dht.New(dht.Config{Bootstrap: []string{from.Addr().String()}, Private: true, Refused: refused})
}

func item(now time.Time, title string) dht.Item {
	return dht.Item{
		Live: true, Made: now, Epoch: stream.Epoch{Ms: 1, Rand: 2}, Title: title,
		Places: []tree.Place{{ID: tree.ID{7}, Addrs: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.7:7144")}}},
	}
}

func TestAmongNodesOfAnotherKind(t *testing.T) {
	nodes := network(t)
	t.Run("a channel is found", func(t *testing.T) { found(t, nodes) })
	t.Run("items go both ways", func(t *testing.T) { bothWays(t, nodes) })
	bin := program(t)
	t.Run("the program plays by an ID", func(t *testing.T) { byID(t, bin, nodes) })
	t.Run("or keeps silent", func(t *testing.T) { silent(t, bin) })
}

func found(t *testing.T, nodes []*other.Server) {
	for name, access := range map[string]seal.Access{"public": {}, "private": seal.New()} {
		t.Run(name, func(t *testing.T) {
			_, key, err := ed25519.GenerateKey(nil)
			if err != nil {
				t.Fatal(err)
			}
			id, now := stream.IDOf(key), time.Now().Truncate(time.Millisecond)
			var refused refusal.Counts
			source := client(nodes[3], &refused)
			if _, err := source.Find(t.Context(), id, access, nil); !errors.Is(err, dht.ErrNotFound) {
				t.Fatalf("before it is there: %v", err)
			}
			begun := time.Now()
			first, stored, err := source.Publish(t.Context(), key, access, item(now, "Finals"))
			if err != nil || stored != 8 {
				t.Fatalf("%d nodes keep it, %v", stored, err)
			}
			t.Logf("published in %v", time.Since(begun).Round(time.Millisecond))

			begun = time.Now()
			early := time.Duration(0)
			got, err := client(nodes[40], &refused).Find(t.Context(), id, access, func(dht.Found) {
				if early == 0 {
					early = time.Since(begun)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("found cold among %d nodes after %v, sure of it after %v", count, early.Round(time.Millisecond), time.Since(begun).Round(time.Millisecond))
			if early == 0 || early > coldMost {
				t.Errorf("found after %v, which may take %v (0 is never)", early, coldMost)
			}
			title := map[bool]string{false: "Finals"}[access.Private()]
			if !got.Live || got.Title != title || !got.Made.Equal(now) || len(got.Hosts()) != 1 || got.Hosts()[0].String() != "192.0.2.7:7144" || got.Places[0].ID != (tree.ID{7}) {
				t.Errorf("found %+v", got.Item)
			}

			// The next is later even if its clock is not, and the older one does not come back.
			if _, stored, err = source.Publish(t.Context(), key, access, item(now.Add(-time.Hour), "Later")); err != nil || stored != 8 {
				t.Fatalf("%d nodes keep the next, %v", stored, err)
			}
			again, stored, err := client(nodes[20], &refused).Renew(t.Context(), access, first)
			if err != nil || stored != 0 || !again.Made.Equal(now.Add(-time.Hour)) {
				t.Errorf("an older one is kept again by %d nodes, %v: %+v", stored, err, again.Item)
			}
			if _, stored, err := client(nodes[20], &refused).Renew(t.Context(), access, again); err != nil || stored != 8 {
				t.Errorf("the newest is kept again by %d nodes, %v", stored, err)
			}
			if n := refused.All(); len(n) != 0 {
				t.Errorf("refused %v", n)
			}
		})
	}
}

// bothWays has theirs verify what ours have signed, and the other way round: the value is what they have read.
func bothWays(t *testing.T, nodes []*other.Server) {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	id, now := stream.IDOf(key), time.Now().Truncate(time.Millisecond)
	if _, _, err := client(nodes[0], nil).Publish(t.Context(), key, seal.Access{}, item(now, "Finals")); err != nil {
		t.Fatal(err)
	}
	salt := []byte("relay/1")
	target := bep44.MakeMutableTarget(id, salt)
	// Their own look-up does not get to them: see appendGet.
	kept := func() (at []*other.Server, last other.QueryResult) {
		for _, s := range nodes[1:] {
			r := nodes[0].Get(t.Context(), other.NewAddr(s.Addr()), target, nil, other.QueryRateLimiting{})
			if err := r.ToError(); err != nil {
				t.Fatal(err)
			}
			if r.Reply.R.V != nil {
				at, last = append(at, s), r
			}
		}
		return at, last
	}
	at, got := kept()
	r := got.Reply.R
	if len(at) < 7 || *r.Seq != now.UnixMilli() || !bep44.Verify(r.K[:], salt, *r.Seq, r.V, r.Sig[:]) {
		t.Fatalf("%d nodes keep it; they read %+v", len(at), r)
	}
	var value string
	if err := bencode.Unmarshal(r.V, &value); err != nil {
		t.Fatal(err)
	}
	pub := [32]byte(id)
	put := bep44.Put{V: value, K: &pub, Salt: salt, Seq: now.UnixMilli() + 5}
	put.Sign(key)
	for _, s := range at {
		to := other.NewAddr(s.Addr())
		r := nodes[0].Get(t.Context(), to, target, nil, other.QueryRateLimiting{})
		if res := nodes[0].Put(t.Context(), to, put, *r.Reply.R.Token, other.QueryRateLimiting{}); res.ToError() != nil {
			t.Fatal(res.ToError())
		}
	}
	found, err := client(nodes[10], nil).Find(t.Context(), id, seal.Access{}, nil)
	if err != nil || found.Title != "Finals" || !found.Made.Equal(now) {
		t.Errorf("we read %+v, %v", found.Item, err)
	}
	if _, _, err := client(nodes[10], nil).Publish(t.Context(), key, seal.Access{}, item(now, "Next")); err != nil {
		t.Fatal(err)
	}
	if _, got := kept(); *got.Reply.R.Seq != now.UnixMilli()+6 {
		t.Errorf("they have number %d, want the one after theirs", *got.Reply.R.Seq-now.UnixMilli())
	}
}
