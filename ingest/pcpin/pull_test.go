package pcpin

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/relay/pcp/pcptest"
)

var kinds = []pcptest.Kind{pcptest.YT, pcptest.Station}

// each runs a test with each kind of model.
func each(t *testing.T, f func(t *testing.T, w *world, kind pcptest.Kind)) {
	for _, k := range kinds {
		t.Run(k.String(), func(t *testing.T) {
			inBubble(t, func(w *world) { f(t, w, k) })
		})
	}
}

func TestAChannelComesTagByTag(t *testing.T) {
	each(t, func(t *testing.T, w *world, kind pcptest.Kind) {
		tip, _ := w.model(kind, 10, 2)
		c := tip.Broadcast(pcptest.ID(channel), info)
		c.SetHead(head)
		tags := clip(1, 0, 20)
		go broadcast(w.ctx, c, tags)
		time.Sleep(5500 * time.Millisecond)
		w.pull(at(10))
		time.Sleep(25 * time.Second)
		got := w.frames()
		first := expectRun(t, got, tags)
		if first+len(got) != len(tags) || tags[first][11] != 0x17 {
			t.Errorf("%d tags from %d on came of %d", len(got), first, len(tags))
		}
		if w.count() < 1 || string(w.all()[0][1]) != string(config) || string(w.all()[0][2]) != string(sound) {
			t.Error("the configurations are not in front")
		}
		if m, _ := flv.ParseMetadata(w.all()[0][0].Body()); m.Title != "ゲーム" {
			t.Errorf("the title is %q", m.Title)
		}
	})
}

func TestTheTipLearnsThatWeHaveTheChannel(t *testing.T) {
	each(t, func(t *testing.T, w *world, kind pcptest.Kind) {
		tip, _ := w.model(kind, 10, 2)
		c := tip.Broadcast(pcptest.ID(channel), info)
		c.SetHead(head)
		go broadcast(w.ctx, c, clip(1, 0, 300))
		w.pull(at(10))
		time.Sleep(2 * time.Second)
		h := c.Children()[pcptest.ID{1, 1}]
		flags, _ := h.Find("flg1")
		numl, _ := h.Find("numl")
		if len(flags.Data) != 1 || flags.Data[0] != 0x10 || len(numl.Data) != 4 || numl.Data[0] != 3 {
			t.Fatalf("it is told %+v", h)
		}
		up := func() byte {
			h, _ := c.Children()[pcptest.ID{1, 1}].Find("uptm")
			return h.Data[0]
		}
		if time.Sleep(117 * time.Second); up() != 0 {
			t.Errorf("told again after %d s", up())
		}
		if time.Sleep(2 * time.Second); up() != 120 {
			t.Errorf("not told again after 120 s, but after %d", up())
		}
	})
}

func TestNewWordsOfTheBroadcasterAreInTheStream(t *testing.T) {
	each(t, func(t *testing.T, w *world, kind pcptest.Kind) {
		tip, _ := w.model(kind, 10, 2)
		c := tip.Broadcast(pcptest.ID(channel), info)
		c.SetHead(head)
		go broadcast(w.ctx, c, clip(1, 0, 60))
		w.pull(at(10))
		time.Sleep(3 * time.Second)
		other := info
		other.Title, other.Comment = "sec\x1b[2Jond\u202e", "a\nb"
		c.SetInfo(other)
		time.Sleep(time.Second)
		other.Kbps = 800 // of which the stream says nothing
		c.SetInfo(other)
		time.Sleep(time.Second)
		last := other
		last.Comment, last.Genre, last.URL = "", "\x1bother", "https://example.org/"
		c.SetInfo(last)
		time.Sleep(time.Second)
		var titles []string
		var texts []flv.Texts
		for _, s := range w.all() {
			for _, tag := range s {
				if m, ok := flv.ParseMetadata(tag.Body()); ok && tag.Type() == flv.Script {
					titles, texts = append(titles, m.Title), append(texts, flv.DescribeTexts(headOf(tag)))
				}
			}
		}
		if !slices.Equal(titles, []string{"ゲーム", "ゲーム · sec[2Jond", "ゲーム · sec[2Jond"}) {
			t.Errorf("%q", titles)
		}
		if !slices.Equal(texts, []flv.Texts{
			{Genre: "game", Description: "first", Comment: "hello"},
			{Genre: "game", Description: "first", Comment: "a b"},
			{Genre: "other", Description: "first", Contact: "https://example.org/"},
		}) {
			t.Errorf("%q", texts)
		}
		if last := w.lastTold(); last.Info.Comment != "" || last.Info.Bitrate != 800 {
			t.Errorf("told %+v", last)
		}
		if w.count() != 1 {
			t.Errorf("%d sessions", w.count())
		}
	})
}

func TestAFullTipSendsUsToOneWhoHasRoom(t *testing.T) {
	each(t, func(t *testing.T, w *world, kind pcptest.Kind) {
		tip, _ := w.model(kind, 10, 1)
		relay, _ := w.model(kind, 11, 2)
		c := tip.Broadcast(pcptest.ID(channel), info)
		c.SetHead(head)
		tags := clip(1, 0, 20)
		go broadcast(w.ctx, c, tags)
		go relay.Pull(w.ctx, pcptest.ID(channel), at(10).String())
		time.Sleep(2 * time.Second)
		w.pull(at(10))
		time.Sleep(20 * time.Second)
		expectRun(t, w.frames(), tags)
		if n := len(relay.Channel(pcptest.ID(channel)).Children()); n != 1 {
			t.Errorf("%d pull from the one with room", n)
		}
	})
}

// Hosts that are gone are left for others, and in the end for the tip.
func TestTheStreamGoesOnWhereAHostWasKilled(t *testing.T) {
	each(t, func(t *testing.T, w *world, kind pcptest.Kind) {
		tip, _ := w.model(kind, 10, 2)
		one, oneHost := w.model(kind, 11, 2)
		two, _ := w.model(kind, 12, 2)
		c := tip.Broadcast(pcptest.ID(channel), info)
		c.SetHead(head)
		tags := clip(1, 0, 120)
		go broadcast(w.ctx, c, tags)
		go one.Pull(w.ctx, pcptest.ID(channel), at(10).String())
		go two.Pull(w.ctx, pcptest.ID(channel), at(10).String())
		time.Sleep(2 * time.Second)
		dials := w.dialled()
		w.pull(at(10))
		time.Sleep(20 * time.Second)
		before, dialled := w.count(), dials()
		for _, m := range []*pcptest.Peer{one, two} {
			if n := len(m.Channel(pcptest.ID(channel)).Children()); n > 0 {
				t.Logf("%x has %d children", m.Session[0], n)
			}
		}
		oneHost.Kill()
		time.Sleep(30 * time.Second)
		if all := dials(); len(all) > len(dialled) && all[len(dialled)] != at(12).String() {
			t.Errorf("%s was dialled first behind the loss", all[len(dialled)])
		}
		expectRun(t, w.frames(), tags)
		if w.count() != before {
			t.Errorf("%d sessions", w.count()-before+1)
		}
		if n := len(two.Channel(pcptest.ID(channel)).Children()) + len(c.Children()); n != 2 {
			t.Errorf("%d children of the others", n)
		}
	})
}

func TestAChannelThatComesBackIsFetchedAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world, kind pcptest.Kind) {
		tip, _ := w.model(kind, 10, 2)
		c := tip.Broadcast(pcptest.ID(channel), info)
		c.SetHead(head)
		first, second := clip(1, 0, 20), clip(2, 0, 20)
		w.pull(at(10))
		broadcast(w.ctx, c, first)
		time.Sleep(15 * time.Second) // silence
		c.SetHead(headOf(script, config))
		broadcast(w.ctx, c, second)
		time.Sleep(time.Second)
		if w.count() != 2 {
			t.Fatalf("%d sessions", w.count())
		}
		frames := w.frames()
		if n := expectRun(t, frames[:len(first)], first); n != 0 {
			t.Errorf("the first begins at %d", n)
		}
		expectRun(t, frames[len(first):], second)
	})
}

func TestThePausesOfAPullGrow(t *testing.T) {
	inBubble(t, func(w *world) {
		tip, host := w.model(pcptest.YT, 10, 2)
		c := tip.Broadcast(pcptest.ID(channel), info)
		c.SetHead(head)
		go broadcast(w.ctx, c, clip(1, 0, 4))
		var mu sync.Mutex
		var dials []time.Time
		w.hooked = func(string) {
			mu.Lock()
			defer mu.Unlock()
			dials = append(dials, time.Now())
		}
		w.pull(at(10))
		time.Sleep(3 * time.Second)
		host.Kill()
		time.Sleep(10 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		dials = dials[1:]        // what comes behind the first connection
		most := 2 * backoffFirst // the first was before the first of these
		for i := range dials[1:] {
			pause := dials[i+1].Sub(dials[i])
			if pause < most/2 || pause > most*3/2+dialTime {
				t.Errorf("pause %d is %v, not around %v", i, pause, most)
			}
			most = min(2*most, backoffMost)
		}
		if n := len(dials); n < 15 || n > 45 {
			t.Errorf("%d dials in ten minutes", n)
		}
		select {
		case err := <-w.run:
			t.Errorf("it ended: %v", err)
		default:
		}
	})
}

func TestTheFirstRoundSaysWhyNothingComes(t *testing.T) {
	inBubble(t, func(w *world) {
		full, _ := w.model(pcptest.YT, 10, 0)
		full.Broadcast(pcptest.ID(channel), info)
		w.model(pcptest.YT, 11, 2)
		other, _ := w.model(pcptest.Station, 12, 2)
		wmv := info
		wmv.Type = "WMV"
		c := other.Broadcast(pcptest.ID(channel), wmv)
		c.SetHead([]byte("\x30\x26\xb2\x75\x8e\x66\xcf\x11"))
		for _, k := range []struct {
			tip  byte
			want string
		}{
			{10, "203.0.113.10:7144: it has no room for one more, and names nobody who has"},
			{11, "203.0.113.11:7144: it does not have the channel"},
			{12, "203.0.113.12:7144: the channel is WMV, and relay brings FLV, MKV, WebM, TS and MP3 in"},
		} {
			w.pull(at(k.tip))
			err := <-w.run
			w.end()
			w.end = nil
			if err == nil || err.Error() != k.want {
				t.Errorf("%v, want %s", err, k.want)
			}
		}
		synctest.Wait()
	})
}

func TestAnAddressIsReadAsPeopleHaveIt(t *testing.T) {
	const id = "97968780D09CC97BB98D4A2BF221EDE7"
	line := "ゲーム &lt;1&gt;<>" + id + "<>192.0.2.7:7145<>http://x.example/<>game<>text<>1<>1<>1<>FLV<><><><><>n<>0:01<>click<><>0"
	for in, want := range map[string]Address{
		"pcp://tip.example:7150/" + id:                                {Tip: "tip.example:7150"},
		"PCP://192.0.2.7/" + id:                                       {Tip: "192.0.2.7:7144"},
		"pcp://[2001:db8::7]:7144/channel/" + id:                      {Tip: "[2001:db8::7]:7144"},
		"pcp://[2001:db8::7]/" + id:                                   {Tip: "[2001:db8::7]:7144"},
		"http://127.0.0.1:7144/pls/" + id + "?tip=192.0.2.7:7145":     {Tip: "192.0.2.7:7145"},
		"http://localhost:7144/pls/" + id + ".pls?tip=192.0.2.7:7145": {Tip: "192.0.2.7:7145"},
		"peercast://pls/" + id + "?tip=192.0.2.7:7145":                {Tip: "192.0.2.7:7145"},
		line:          {Tip: "192.0.2.7:7145", Name: "ゲーム <1>"},
		line + "\r\n": {Tip: "192.0.2.7:7145", Name: "ゲーム <1>"},
	} {
		want.Channel = channel
		got, err := ParseAddress(in)
		if err != nil || got != want || !IsAddress(in) {
			t.Errorf("%.60q: %+v, %v, %v; want %+v", in, got, err, IsAddress(in), want)
		}
	}
	for _, in := range []string{
		"pcp://h:7144/", "pcp://h:7144/x", "pcp://h:0/" + id, "pcp:///" + id, "a<>b", "peercast://pls/" + id,
		"x<>00000000000000000000000000000000<>192.0.2.7:7145<><><><>1<>1<>1<>FLV<><><><><>n<>0:01<>click<><>0",
		"x<>" + id + "<><><><><>1<>1<>1<>FLV<><><><><>n<>0:01<>click<><>0",
	} {
		if a, err := ParseAddress(in); err == nil || !IsAddress(in) {
			t.Errorf("%q: %+v, %v", in, a, IsAddress(in))
		}
	}
	for _, in := range []string{"", "movie.flv", "http://h/live.flv", "rtmp://h/a/b", "http://h/stream/" + id + ".flv", "-", "C:\\x.flv"} {
		if IsAddress(in) {
			t.Errorf("%q is taken for PeerCast's", in)
		}
	}
}

// A host that was dead for a while, and is named again, is dialled again soon.
func TestAHostThatComesBackIsTakenAgain(t *testing.T) {
	each(t, func(t *testing.T, w *world, kind pcptest.Kind) {
		tip, _ := w.model(kind, 10, 1)
		c := tip.Broadcast(pcptest.ID(channel), info)
		c.SetHead(head)
		go broadcast(w.ctx, c, clip(1, 0, 260))
		relay, host := w.model(kind, 11, 2)
		ctx, stop := context.WithCancel(w.ctx)
		go relay.Pull(ctx, pcptest.ID(channel), at(10).String())
		time.Sleep(2 * time.Second)
		w.pull(at(10))
		time.Sleep(20 * time.Second)
		tip.SetSlots(0) // nobody but the relay may have it from the tip
		stop()
		host.Kill()
		time.Sleep(100 * time.Second)
		tip.SetSlots(1)
		again, _ := w.model(kind, 11, 2)
		go again.Pull(w.ctx, pcptest.ID(channel), at(10).String())
		time.Sleep(500 * time.Millisecond)
		before := len(w.frames())
		for range 120 {
			if time.Sleep(time.Second); len(w.frames()) > before+100 {
				return
			}
		}
		t.Error("the stream did not come back in two minutes")
	})
}
