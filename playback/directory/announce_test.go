package directory

import (
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"relay/playback"
	"relay/relay/pcp"
	"relay/relay/pcp/index"
	"relay/relay/refusal"
	"relay/relay/stream"
)

// Each announcement that is not taken is counted by its reason, told why, and costs nobody else anything.
func TestWhatIsNotTaken(t *testing.T) {
	denied := stream.IDOf(keyOf(900))
	file := filepath.Join(t.TempDir(), "deny")
	if err := os.WriteFile(file, []byte(denied.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		why    refusal.Reason
		key    int
		change func(*Announcement)
		signed func(*Signed)
		from   string
		asked  func(*http.Request)
	}{
		{name: "all is well"},
		{name: "another key has signed it", why: RefusedForged, signed: func(s *Signed) {
			copy(s.Sig[:], ed25519.Sign(keyOf(2), signedBytes(s.Body)))
		}},
		{name: "a figure was changed on the way", why: RefusedForged, signed: func(s *Signed) { s.Body = strings.Replace(s.Body, `"listeners":1`, `"listeners":9`, 1) }},
		{name: "no signature", why: RefusedGarbled, asked: func(r *http.Request) { r.Header.Del(signatureHeader) }},
		{name: "a short signature", why: RefusedGarbled, asked: func(r *http.Request) {
			r.Header.Set(signatureHeader, base64.StdEncoding.EncodeToString(make([]byte, 63)))
		}},
		{name: "no announcement", why: RefusedGarbled, signed: func(s *Signed) { s.Body = `{"hello":1}` }},
		{name: "too long", why: RefusedLarge, signed: func(s *Signed) { s.Body += strings.Repeat(" ", MaxBody) }},
		{name: "of an hour ago", why: RefusedClock, change: func(a *Announcement) { a.Seq -= time.Hour.Milliseconds() }},
		{name: "of tomorrow", why: RefusedClock, change: func(a *Announcement) { a.Seq += 24 * time.Hour.Milliseconds() }},
		{name: "denied", why: RefusedDenied, key: 900},
		{name: "nobody is there", why: RefusedDead, change: func(a *Announcement) { a.Places = addrs("11.99.0.1:7144") }},
		{name: "something takes connections there and says nothing", why: RefusedDead, change: func(a *Announcement) { a.Places = addrs("11.98.0.1:7144") }},
		{name: "somebody else's relay is there", why: RefusedOther, change: func(a *Announcement) { a.Places = addrs("11.97.0.1:7144") }},
		{name: "no places", why: RefusedPlaces, change: func(a *Announcement) { a.Places = nil }},
		{name: "a private place", why: RefusedPlaces, change: func(a *Announcement) { a.Places = addrs("192.168.0.1:7144") }},
		{name: "a place in the directory's own network, told from outside", why: RefusedPlaces, change: func(a *Announcement) { a.Places = addrs("10.1.0.5:7144") }},
		{name: "the directory itself, told from outside", why: RefusedPlaces, change: func(a *Announcement) { a.Places = addrs("127.0.0.1:7144", "[::1]:7144") }},
		{name: "a data centre's service", why: RefusedPlaces, from: "127.0.0.1:5", change: func(a *Announcement) { a.Places = addrs("169.254.169.254:80", "[fd00:ec2::254]:80") }},
		{name: "for many", why: RefusedPlaces, from: "10.1.0.9:5", change: func(a *Announcement) { a.Places = addrs("10.1.255.255:7144", "224.0.0.1:7144", "[ff02::1]:7144") }},
		{name: "an own place, told from there", from: "10.1.0.9:5", change: func(a *Announcement) { a.Places = addrs("10.1.0.9:7144") }},
		{name: "this machine's place, told here", from: "127.0.0.1:5", change: func(a *Announcement) { a.Places = addrs("127.0.0.1:7144") }},
		{name: "this machine's place, told here by a proxy that says nothing", why: RefusedPlaces, from: "127.0.0.1:5", change: func(a *Announcement) { a.Places = addrs("127.0.0.1:7144") }, asked: func(r *http.Request) { r.Proto, r.ProtoMinor = "HTTP/1.0", 0 }},
		{name: "through a proxy that is not trusted", why: RefusedProxy, from: "127.0.0.1:5", asked: func(r *http.Request) { r.Header.Set("X-Forwarded-For", "11.0.1.7") }},
		{name: "through one that is trusted", from: "203.0.113.80:5", asked: func(r *http.Request) { r.Header.Set("X-Forwarded-For", "11.0.1.7") }},
		{name: "too short a request", why: RefusedShort, asked: func(r *http.Request) { r.Header.Del(paddingHeader) }},
		{name: "one of two is there", change: func(a *Announcement) { a.Places = append(addrs("11.99.0.1:7144"), a.Places...) }},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := newNet()
			lists := &Moderation{Deny: file}
			if _, err := lists.Load(); err != nil {
				t.Fatal(err)
			}
			s := n.open("a.example", Config{Lists: lists, Proxies: playback.Proxies{netip.MustParsePrefix("203.0.113.80/32")}})
			key := max(test.key, 1)
			a := announcement(1)
			id := stream.IDOf(keyOf(key))
			n.carries(placeOf(1), id)
			n.carries(netip.MustParseAddrPort("10.1.0.9:7144"), id)
			n.carries(netip.MustParseAddrPort("127.0.0.1:7144"), id)
			n.carries(netip.MustParseAddrPort("11.97.0.1:7144"), stream.ChannelID{7})
			n.silent(netip.MustParseAddrPort("11.98.0.1:7144"))
			if test.change != nil {
				test.change(&a)
			}
			one := mustSign(t, key, a)
			if test.signed != nil {
				test.signed(&one)
			}
			var change []func(*http.Request)
			if test.asked != nil {
				change = append(change, test.asked)
			}
			from := test.from
			if from == "" {
				from = fromOf(1)
			}
			begun := time.Now()
			code, answer := post(t, s, from, one, change...)
			if took := time.Since(begun); took > probeTime {
				t.Errorf("%s: it takes %v", test.name, took)
			}
			if answer.Error != test.why || (test.why == "") != (code == http.StatusOK) || test.why != "" && answer.Text == "" {
				t.Errorf("%s: %d, %+v", test.name, code, answer)
			}
			var sum uint64
			for why, n := range s.Counts() {
				if sum += n; n > 0 && why != test.why {
					t.Errorf("%s: counted as %s", test.name, why)
				}
			}
			listed := len(s.book.shelf(time.Now()).byCrowd)
			if test.why != "" && (sum != 1 || listed != 0) || test.why == "" && (sum != 0 || listed != 1 || len(answer.Checked) == 0) {
				t.Errorf("%s: %d counted, %d listed, checked %v", test.name, sum, listed, answer.Checked)
			}
			synctest.Wait()
			n.mu.Lock()
			defer n.mu.Unlock()
			for at := range n.dialed {
				if test.why == RefusedPlaces || test.why == RefusedForged || test.why == RefusedDenied {
					t.Errorf("%s: %v was dialled", test.name, at)
				}
			}
		})
	}
}

// Nobody is sent more than came for it, as long as nobody there has said anything.
func TestWhoDoesNotAnswerIsSentLessThanCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{})
		a := announcement(1)
		a.Places = nil
		for i := range MaxPlaces {
			at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{11, 98, byte(i), 1}), 7144)
			n.silent(at)
			a.Places = append(a.Places, at)
		}
		if _, answer := post(t, s, fromOf(1), mustSign(t, 1, a)); answer.Error != RefusedDead {
			t.Errorf("%+v", answer)
		}
		synctest.Wait()
		n.mu.Lock()
		defer n.mu.Unlock()
		sum := 0
		for _, k := range n.sent {
			sum += k
		}
		if sum == 0 || sum > RequestBytes || len(n.dialed) > probesMost {
			t.Errorf("%d bytes were sent to %d places for one request of %d", sum, len(n.dialed), RequestBytes)
		}
	})
}

func TestOnceAMinuteAndOnlyForward(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{})
		n.carries(placeOf(1), stream.IDOf(keyOf(1)))
		first := mustSign(t, 1, announcement(1))
		if _, a := post(t, s, fromOf(1), first); a.Error != "" {
			t.Fatalf("%+v", a)
		}
		time.Sleep(10 * time.Second)
		if _, a := post(t, s, fromOf(1), mustSign(t, 1, announcement(1))); a.Error != RefusedOften || a.WaitS != 50 {
			t.Errorf("after ten seconds: %+v", a)
		}
		time.Sleep(time.Minute)
		second := mustSign(t, 1, announcement(1))
		if _, a := post(t, s, fromOf(1), second); a.Error != "" {
			t.Errorf("after a minute: %+v", a)
		}
		// Who says that it is off the air, and comes back, need not wait for so long.
		time.Sleep(time.Second)
		gone := announcement(1)
		gone.TTL = 0
		if _, a := post(t, s, fromOf(1), mustSign(t, 1, gone)); a.Error != "" {
			t.Errorf("goodbye: %+v", a)
		}
		time.Sleep(time.Second)
		if _, a := post(t, s, fromOf(1), mustSign(t, 1, announcement(1))); a.Error != RefusedOften || a.WaitS > 5 {
			t.Errorf("back at once: %+v", a)
		}
		time.Sleep(5 * time.Second)
		if _, a := post(t, s, fromOf(1), mustSign(t, 1, announcement(1))); a.Error != "" {
			t.Errorf("back after six seconds: %+v", a)
		}
		// Whoever has heard them sends them again, for as long as they count, and after that.
		for range 24 {
			time.Sleep(time.Minute)
			for _, old := range []Signed{first, second} {
				if _, a := post(t, s, "192.0.2.66:1", old); a.Error != RefusedReplayed && a.Error != RefusedClock {
					t.Fatalf("an old one is taken: %+v", a)
				}
			}
		}
		if len(s.book.shelf(time.Now()).byCrowd) != 0 {
			t.Error("it is still listed")
		}
	})
}

func TestAnAddressBringsTenChannelsAnHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{})
		for i := range 200 {
			n.carries(placeOf(1), stream.IDOf(keyOf(i)))
		}
		bring := func(i int, from string) refusal.Reason {
			a := announcement(1)
			a.Title = fmt.Sprint(i)
			_, answer := post(t, s, from, mustSign(t, i, a))
			return answer.Error
		}
		taken := 0
		for i := range 15 {
			if bring(i, "192.0.2.1:1") == "" {
				taken++
			}
		}
		if taken != newPerAddress || s.Counts()[RefusedAddress] != 5 {
			t.Errorf("%d of one address", taken)
		}
		for i := range 120 { // of the neighbourhood
			if bring(20+i, fmt.Sprintf("192.0.2.%d:1", 2+i)) == "" {
				taken++
			}
		}
		if taken != newPerPrefix {
			t.Errorf("%d of one neighbourhood", taken)
		}
		if why := bring(190, "192.0.3.1:1"); why != "" {
			t.Errorf("somebody else: %s", why)
		}
		// What is listed is announced again, twice in ten minutes, for as long as it lasts.
		for range 24 {
			time.Sleep(5 * time.Minute)
			for i := range newPerAddress {
				if why := bring(i, "192.0.2.1:1"); why != "" {
					t.Fatalf("channel %d again: %s", i, why)
				}
			}
		}
		if why := bring(199, "192.0.2.1:1"); why != "" {
			t.Errorf("one more after two hours: %s", why)
		}
	})
}

// Announcements that name a machine at which nobody answers do not have it knocked at for ever, whoever sends them.
func TestAVictimIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{})
		victim := netip.MustParseAddrPort("11.99.0.1:443")
		budgets := 0
		for i := range 50 {
			a := announcement(i)
			a.Places = []netip.AddrPort{victim}
			_, answer := post(t, s, fromOf(i), mustSign(t, i, a))
			if answer.Error == RefusedBudget {
				budgets++
			}
		}
		n.mu.Lock()
		defer n.mu.Unlock()
		if most := silentBurst + int(50*5*silentRate) + 1; n.dialed[victim] > most || budgets == 0 {
			t.Errorf("it was dialled %d times, %d at most", n.dialed[victim], most)
		}
	})
}

func TestAGatewayCountsWhereTheChannelAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{Title: "Ours"})
		for i, tip := range []string{placeOf(0).Addr().String() + ":7148", "192.0.2.99:7144"} {
			a := announcement(i)
			a.PeerCast = netip.MustParseAddrPort(tip)
			a.Genre, a.URL, a.Title, a.Comment = "a<>b", "https://example.org/", "<i>&", "ようこそ"
			n.carries(placeOf(i), stream.IDOf(keyOf(i)))
			if _, answer := post(t, s, fromOf(i), mustSign(t, i, a)); answer.Error != "" {
				t.Fatal(answer.Error)
			}
		}
		time.Sleep(3 * time.Minute)
		w := get(t, s, "/index.txt")
		want := "&lt;i&gt;&amp;<>" + pcp.ChannelID(stream.IDOf(keyOf(0))).String() + "<>11.0.0.7:7148<>https://example.org/<>a&lt;&gt;b<><>0<>-1<>3000<>FLV<><><><><>%3Ci%3E%26<>0:03<>click<>ようこそ<>0\n"
		if w.Body.String() != want {
			t.Errorf("index.txt is\n%s\nwant\n%s", w.Body, want)
		}
		if all, err := index.Parse(w.Body, index.Bounds{}); err != nil || len(all) != 1 {
			t.Errorf("%d, %v", len(all), err)
		}
	})
}

func TestACrowdOfDialBacksIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNet()
		s := n.open("a.example", Config{})
		done := make(chan refusal.Reason, 200)
		for i := range 200 {
			a := announcement(i)
			one := mustSign(t, i, a)
			go func() {
				_, answer := post(t, s, fromOf(i), one)
				done <- answer.Error
			}()
		}
		busy := 0
		for range 200 {
			if <-done == RefusedBusy {
				busy++
			}
		}
		if busy != 200-probesAtOnce {
			t.Errorf("%d are told to come again", busy)
		}
	})
}
