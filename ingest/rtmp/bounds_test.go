package rtmp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortmplib/pkg/bytecounter"
	"github.com/bluenviron/gortmplib/pkg/rawmessage"

	"relay/ingest/flv"
)

// maxMedia is the longest message that gortmplib's reader takes, in bytes.
const maxMedia = 10 << 20

// TestBoundsAreAsTheDesignSays compares the table of bounds in ingest/design.md with the
// constants.
func TestBoundsAreAsTheDesignSays(t *testing.T) {
	kib := func(n int) string { return fmt.Sprintf("%d KiB", n>>10) }
	seconds := func(d time.Duration) string { return fmt.Sprintf("%v s", d.Seconds()) }
	want := map[string]string{
		"connections that have not agreed on a stream":           fmt.Sprintf("%d at a time; others wait in the backlog", strangers),
		"a stranger, handshake included":                         kib(strangerBytes) + " and " + seconds(strangerTime),
		"an encoder, or a server that plays, that sends nothing": seconds(silence),
		"what a player says":                                     fmt.Sprintf("%s a minute; %s of answers waiting", kib(playerBytes), kib(maxReplies)),
		"chunk size":                                             fmt.Sprintf("%d B to %s", minChunk, kib(maxChunk)),
		"one message":                                            fmt.Sprintf("%d MiB of media, %s of script or command", maxMedia>>20, kib(flv.MaxScript)),
		"AMF0":                                                   fmt.Sprintf("%d levels, %d values, checked without recursion before a decoder sees it", flv.MaxAMFDepth, flv.MaxAMFValues),
		"one write of a reply":                                   seconds(writeTime),
		"time for a refused peer to read why":                    seconds(lingerTime),
	}
	if playerTime != time.Minute {
		t.Errorf("what a player says is counted for %v, the design says a minute", playerTime)
	}
	design, err := os.ReadFile("../design.md")
	if err != nil {
		t.Fatal(err)
	}
	_, bounds, found := strings.Cut(string(design), "\nWhat a peer may do:\n")
	bounds, _, _ = strings.Cut(bounds, "\n## ")
	if !found {
		t.Fatal("the design has no bounds")
	}
	got := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (.+?) \| (.+?) \|$`).FindAllStringSubmatch(bounds, -1)[1:] {
		got[m[1]] = m[2]
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("the design has a bound that this test does not know: %q", name)
		}
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: the design says %q, the constants %q", name, got[name], value)
		}
	}
	slack := fmt.Sprintf("(%d MiB for an RTMP connection)", connSlack>>20)
	if !strings.Contains(strings.Join(strings.Fields(bounds), " "), slack) {
		t.Errorf("the design does not say %q", slack)
	}
}

func TestALongerMessageThanTheBoundIsRefusedByItsHeader(t *testing.T) {
	for length, refused := range map[uint32]bool{maxMedia: false, maxMedia + 1: true} {
		header := []byte{4, 0, 0, 0}
		header = append(header, binary.BigEndian.AppendUint32(nil, length)[1:]...)
		header = append(header, msgVideo, 1, 0, 0, 0)
		count := bytecounter.NewReader(bytes.NewReader(append(header, make([]byte, minChunk)...)))
		_, err := rawmessage.NewReader(count, count, nil).Read()
		if err == nil || strings.Contains(err.Error(), "exceeds maximum") != refused {
			t.Errorf("a message of %d bytes: %v", length, err)
		}
	}
}
