package pcpin

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"relay/ingest/convert"
	"relay/ingest/flv"
	"relay/ingest/ingesttest"
	"relay/ingest/mkv"
	"relay/relay/pcp"
)

// kept keeps the tags of each stream.
type kept struct {
	tags     []flv.Tag
	restarts int
}

func (k *kept) write(t flv.Tag) error { k.tags = append(k.tags, t); return nil }
func (k *kept) restart()              { k.restarts++ }

// recorded is a file of ffmpeg's, cut as PeerCast does: the head, and the clusters in packets.
func recorded(t *testing.T, name, args string) (file []byte, head []byte, clusters [][]byte) {
	t.Helper()
	file, err := os.ReadFile(ingesttest.Clip(t, name, args))
	if err != nil {
		t.Fatal(err)
	}
	parts := bytes.Split(file, []byte(cluster))
	for _, p := range parts[1:] {
		clusters = append(clusters, append([]byte(cluster), p...))
	}
	return file, parts[0], clusters
}

const live = "-c:v libx264 -preset ultrafast -g 10 -c:a aac -live 1 -cluster_time_limit 400"

// give has a tape take bytes in packets of so many.
func give(t *testing.T, s *tape, to *kept, pos uint32, data []byte, most int) uint32 {
	t.Helper()
	for len(data) > 0 {
		n := min(most, len(data))
		if _, err := s.takeData(&pcp.Packet{Kind: pcp.Data, Pos: pos, Cont: 1, Data: data[:n]}, to); err != nil {
			t.Fatal(err)
		}
		data, pos = data[n:], pos+uint32(n)
	}
	return pos
}

func frames(tags []flv.Tag) int {
	return len(ingesttest.Frames(tags, flv.Video)) + len(ingesttest.Frames(tags, flv.Audio))
}

func TestAChannelOfMatroskaIsReadAsOneStream(t *testing.T) {
	file, head, clusters := recorded(t, "a.mkv", live)
	if len(clusters) < 4 {
		t.Fatalf("%d clusters", len(clusters))
	}
	want := ingesttest.ReadAll(t, mkv.NewReader(bytes.NewReader(file), nil), io.EOF)
	var to kept
	s := &tape{}
	defer s.close()
	s.connected()
	s.takeHead(head)
	pos := uint32(1<<32 - 5000) // it wraps
	for i, c := range clusters {
		if i == 2 { // another host, which begins with what has come
			s.connected()
			s.takeHead(head)
			give(t, s, &to, pos-100, append(clusters[1][len(clusters[1])-100:len(clusters[1]):len(clusters[1])], c[:50]...), 60)
		}
		pos = give(t, s, &to, pos, c, 1000)
	}
	if len(to.tags) < len(want)-1 || to.restarts > 0 || s.lost > 0 {
		t.Fatalf("%d tags, want %d", len(to.tags), len(want))
	}
	for i, tag := range to.tags {
		if !bytes.Equal(tag, want[i]) {
			t.Fatalf("tag %d is another one", i)
		}
	}
}

func TestWhatIsMissingOfMatroskaCostsItsCluster(t *testing.T) {
	file, head, clusters := recorded(t, "a.mkv", live)
	whole := frames(ingesttest.ReadAll(t, mkv.NewReader(bytes.NewReader(file), nil), io.EOF))
	var to kept
	s := &tape{}
	defer s.close()
	s.connected()
	s.takeHead(head)
	pos := give(t, s, &to, 0, clusters[0], 1000)
	give(t, s, &to, pos, clusters[1][:500], 1000)
	before := frames(to.tags)
	pos += uint32(len(clusters[1]))
	pos = give(t, s, &to, pos-300, clusters[1][len(clusters[1])-300:], 1000) // a hole in front of these
	for _, c := range clusters[2:] {
		pos = give(t, s, &to, pos, c, 1000)
	}
	got := frames(to.tags)
	if s.lost != 1 || to.restarts > 0 || before < 5 || got <= before+10 || got >= whole {
		t.Errorf("%d frames before, %d in all, of %d; %d holes", before, got, whole, s.lost)
	}
}

func TestAnotherHeadOfMatroskaIsAnotherStream(t *testing.T) {
	_, head, clusters := recorded(t, "a.mkv", live)
	var to kept
	s := &tape{}
	defer s.close()
	s.connected()
	s.takeHead(head)
	give(t, s, &to, 5000, clusters[0], 1000)
	s.takeHead(head)
	give(t, s, &to, 0, clusters[0], 1000)
	if to.restarts != 1 || len(configs(to.tags)) < 4 {
		t.Errorf("%d restarts, %d configurations", to.restarts, len(configs(to.tags)))
	}
	// Another session is told again what the stream is.
	n := len(configs(to.tags))
	s.renew()
	give(t, s, &to, uint32(len(clusters[0])), clusters[1], 1000)
	if got := len(configs(to.tags)); got < n+3 {
		t.Errorf("%d configurations, were %d", got, n)
	}
}

func configs(tags []flv.Tag) (all []flv.Tag) {
	for _, tag := range tags {
		if flv.Classify(tag).Config {
			all = append(all, tag)
		}
	}
	return all
}

func TestAChannelOfMPEGTSNeedsNoHead(t *testing.T) {
	file, err := os.ReadFile(ingesttest.Clip(t, "a.ts", "-c:v libx264 -preset ultrafast -g 10 -c:a aac"))
	if err != nil {
		t.Fatal(err)
	}
	if !isTape(nil, "ts") || isTape([]byte("FLV"), "TS") || isTape(nil, "OGM") || !isTape(nil, "mp3") || isTape([]byte("FLV"), "MP3") {
		t.Error("types")
	}
	var to kept
	s := &tape{}
	defer s.close()
	s.connected()
	pos := give(t, s, &to, 0, file[100:len(file)/2], 999)
	before := frames(to.tags)
	give(t, s, &to, pos+5000, file[len(file)/2+5000:], 999)
	if got := frames(to.tags); before < 30 || got < before+30 || s.lost != 1 {
		t.Errorf("%d frames, %d before the hole", got, before)
	}
}

// TestAChannelOfMP3NeedsNoHead begins in the middle of a frame, and has a hole, and noise behind that.
func TestAChannelOfMP3NeedsNoHead(t *testing.T) {
	file, err := os.ReadFile(ingesttest.Clip(t, "a.mp3", "-vn -c:a libmp3lame -b:a 128k -write_xing 0 -id3v2_version 0"))
	if err != nil {
		t.Fatal(err)
	}
	var to kept
	s := &tape{sound: true}
	defer s.close()
	s.connected()
	pos := give(t, s, &to, 0, file[100:len(file)/2], 999)
	before := frames(to.tags)
	pos = give(t, s, &to, pos+500, bytes.Repeat([]byte("noise"), 3000), 999)
	give(t, s, &to, pos, file[len(file)/2+500:], 999)
	if got := frames(to.tags); before < 30 || got < before+20 || s.lost != 1 || len(s.first) > 0 {
		t.Errorf("%d frames, %d before the hole, %d holes", got, before, s.lost)
	}
	var more kept
	other := &tape{sound: true}
	defer other.close()
	other.connected()
	give(t, other, &more, 0, bytes.Repeat([]byte("noise"), 200_000), 9999)
	if len(more.tags) > 0 || len(other.first) > 16<<10 {
		t.Errorf("%d tags of noise, of which %d bytes are kept", len(more.tags), len(other.first))
	}
}

func TestWhatCannotBeCarriedEndsAChannel(t *testing.T) {
	_, head, clusters := recorded(t, "a.webm", "-c:v libvpx -deadline realtime -cpu-used 8 -c:a libvorbis")
	s := &tape{}
	s.connected()
	s.takeHead(head)
	_, err := s.takeData(&pcp.Packet{Kind: pcp.Data, Data: clusters[0][:1000]}, &kept{})
	if !errors.Is(err, convert.ErrNotCarried) || !strings.Contains(err.Error(), "the WebM has VP8 and Vorbis") {
		t.Error(err)
	}
	if s.reading != nil {
		t.Error("it is still read")
	}
}
