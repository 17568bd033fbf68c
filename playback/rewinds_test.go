package playback

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"relay/ingest/flv"
	"relay/playback/remux"
	"relay/relay/seal"
	"relay/relay/stream"
)

// wants asks for a path from an address, and returns the answer.
func wants(t *testing.T, s *Server, path, from string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
	r.Host, r.RemoteAddr = "203.0.113.1:7145", from
	w := httptest.NewRecorder()
	s.handler(t.Context()).ServeHTTP(w, r)
	return w
}

// TestAStrangerHasAShareOfWhatRewindingCosts has a stranger ask for what was as fast as it can, in each way, and then
// a crowd of them.
func TestAStrangerHasAShareOfWhatRewindingCosts(t *testing.T) {
	tags := demoClip(t)
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, stream.Limits{})
		src.keeping(t, src.ring, nil)
		src.clip(tags, 0, func(ts uint32) {})
		time.Sleep(time.Second)
		s, name := NewServer(Config{Channels: list(src.channel())}), src.id.Short()
		past := time.Now().UnixMilli() - 1000
		hls := func(i int) string { return fmt.Sprintf("/hls/%s/%d/index.m3u8", name, past-int64(i)) }
		many := rewindBurst/rewindCost + 10

		codes := make(map[int]int)
		for range many {
			codes[wants(t, s, "/"+name+".mp4?at=start", "198.51.100.7:1000").Code]++ // a recorder is no connection: 500
		}
		if codes[http.StatusTooManyRequests] != 10 || s.refused.All(RefusedRewind)[RefusedRewind] != 10 {
			t.Errorf("%d streams from one address: %v; refused %v", many, codes, s.refused.All(Refusals...))
		}
		if w := wants(t, s, hls(0), "198.51.100.7:1000"); w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
			t.Errorf("HLS from the same: %d %s", w.Code, w.Body)
		}
		if _, err := s.Direct(&net.TCPAddr{IP: net.IPv4(198, 51, 100, 7)}, name+"?at=start", flvForm); err != errOften {
			t.Errorf("RTMP from the same: %v", err)
		}
		if w := wants(t, s, "/"+name+".mp4?at=start&peek", "198.51.100.7:1000"); w.Code != http.StatusTooManyRequests {
			t.Errorf("a picture for the same: %d %.200q", w.Code, w.Body)
		}
		for _, path := range []string{"/hls/" + name + "/index.m3u8", "/" + name + ".m3u?at=start"} {
			if w := wants(t, s, path, "198.51.100.7:1000"); w.Code != http.StatusOK {
				t.Errorf("%s for the same: %d %.200q", path, w.Code, w.Body)
			}
		}
		for _, other := range []string{"198.51.100.8:1000", "127.0.0.1:1000"} {
			if w := wants(t, s, "/"+name+".mp4?at=start&peek", other); w.Code != http.StatusOK {
				t.Errorf("a picture for %s: %d %.200q", other, w.Code, w.Body)
			}
		}
		time.Sleep(10 * time.Second)
		if w := wants(t, s, hls(0), "198.51.100.7:1000"); w.Code != http.StatusOK {
			t.Errorf("HLS from the same, later: %d %s", w.Code, w.Body)
		}
		if w := wants(t, s, hls(0), "198.51.100.9:1000"); w.Code != http.StatusOK {
			t.Errorf("HLS that another has had begun: %d %s", w.Code, w.Body)
		}

		served := 0
		for i := range 4 * rewindBurstAll / rewindCost {
			if wants(t, s, "/"+name+".mp4?at=start", fmt.Sprintf("192.0.2.%d:1000", i%250)).Code != http.StatusTooManyRequests {
				served++
			}
		}
		if most := rewindBurstAll / rewindCost; served > most || served < most/2 {
			t.Errorf("%d of a crowd begin at once, %d may", served, most)
		}
		if w := wants(t, s, "/"+name+".mp4?at=start", "127.0.0.1:1000"); w.Code == http.StatusTooManyRequests {
			t.Errorf("this machine meanwhile: %d %s", w.Code, w.Body)
		}
		time.Sleep(2 * hlsIdle)
	})
}

// TestAPeekIsOnePictureAndNoViewer asks for pictures of moments of a clip with a key frame every two seconds.
func TestAPeekIsOnePictureAndNoViewer(t *testing.T) {
	tags := demoClip(t)
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, stream.Limits{})
		src.keeping(t, src.ring, nil)
		began := time.Now()
		src.clip(tags, 0, func(ts uint32) { time.Sleep(time.Until(began.Add(time.Duration(ts) * time.Millisecond))) })
		time.Sleep(time.Second)
		s, name := NewServer(Config{Channels: list(src.channel()), MaxViewers: 1}), src.id.Short()
		if leave, _ := s.places.take(home.AddrPort().Addr(), true); leave == nil {
			t.Fatal("there is no place to take")
		}
		w := wants(t, s, fmt.Sprintf("/%s.flv?peek&at=%d", name, began.Unix()+7), thisMachine)
		var pictures []flv.Tag
		for tag := range flv.Tags(w.Body.Bytes()[flv.FileHeaderLen:]) {
			if isPicture(tag) {
				pictures = append(pictures, tag)
			}
		}
		if w.Code != http.StatusOK || len(pictures) == 0 || len(pictures) > 3 || !flv.Classify(pictures[0]).Key || pictures[0].Timestamp() != 6000 {
			t.Errorf("%d, %d bytes, %d pictures", w.Code, w.Body.Len(), len(pictures))
		}
		w = wants(t, s, "/"+name+".mp4?at=start&peek", thisMachine)
		if b := w.Body.Bytes(); w.Code != http.StatusOK || !bytes.Contains(b, []byte("moov")) || !bytes.Contains(b, []byte("moof")) || w.Header().Get("Content-Type") != "video/mp4" {
			t.Errorf("%d, %d bytes of %v", w.Code, w.Body.Len(), w.Header())
		}
		for path, want := range map[string]int{
			fmt.Sprintf("/%s.mp4?peek&at=%d", name, time.Now().Unix()+60): http.StatusNotFound,
			"/" + name + ".mp4?peek&at=yesterday":                         http.StatusBadRequest,
		} {
			if w := wants(t, s, path, thisMachine); w.Code != want {
				t.Errorf("%s: %d %.200q", path, w.Code, w.Body)
			}
		}
		if n := len(src.channel().present()); n != 0 {
			t.Errorf("%d viewers", n)
		}
	})
}

// TestAPeekReadsNoMoreThanAPicture looks how many chunks it takes, of which the clip has 1,000.
func TestAPeekReadsNoMoreThanAPicture(t *testing.T) {
	tags := demoClip(t)
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, stream.Limits{})
		a := src.keeping(t, src.ring, nil)
		src.clip(tags, 0, func(uint32) {})
		time.Sleep(time.Second)
		past, err := a.At(time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		defer past.Close()
		from := &sip{past: past, plain: src.channel().kept.plain()}
		p := newPlace(newOwnReel(src.ring, Form{Name: "mp4", New: func() Container { return remux.NewMP4() }}, from), GOP)
		for i := 0; i < 4; {
			if _, wait, err := p.next(); err != nil {
				break
			} else if wait == nil {
				i++
			}
		}
		if from.taken > 16 {
			t.Errorf("%d chunks for a picture", from.taken)
		}
	})
}

// TestWhatDoesNotOpenIsNotReadForEver has an archive that was sealed with another secret.
func TestWhatDoesNotOpenIsNotReadForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src := newSource(t, stream.Limits{})
		sealed := stream.NewRing(stream.Limits{})
		src.writer = stream.NewSealedWriter(sealed, src.key, seal.New().Content(seal.Channel(src.id)), stream.NextEpoch(src.writer.Epoch(), time.Now(), 3), time.Now())
		src.header("private")
		src.keeping(t, sealed, func() *stream.Unsealer { return stream.NewUnsealer(seal.New().Content(seal.Channel(src.id))) })
		src.film(0, 300) // 3,000 chunks
		_, shift := src.shifted(t, "start")
		if _, wait, err := shift.take(); wait == nil || err != nil || shift.past != nil || shift.shut != shiftSealed+1 {
			t.Errorf("after %d chunks that do not open: %v, still reading: %t", shift.shut, err, shift.past != nil)
		}
		out, err := src.channel().still(flvForm, moment{start: true})
		if len(out) != 0 || err != nil {
			t.Errorf("a picture of it: %d parts, %v", len(out), err)
		}
		sealed.Close()
	})
}
