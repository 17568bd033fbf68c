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

	"relay/ingest/flv"
)

// TestBoundsAreAsTheDesignSays compares the table of bounds in ingest/design.md with the
// constants.
func TestBoundsAreAsTheDesignSays(t *testing.T) {
	kib := func(n int) string { return fmt.Sprintf("%d KiB", n>>10) }
	seconds := func(d time.Duration) string { return fmt.Sprintf("%v s", d.Seconds()) }
	want := map[string]string{
		"connections that have not agreed on a stream":           fmt.Sprintf("%d at a time; one more has another give way", strangers),
		"a stranger, handshake included":                         kib(strangerBytes) + " and " + seconds(strangerTime),
		"an encoder, or a server that plays, that sends nothing": seconds(silence),
		"what a player says":                                     fmt.Sprintf("%s a minute; %s of answers waiting", kib(playerBytes), kib(maxReplies)),
		"chunk size":                                             fmt.Sprintf("1 B to %d B; memory grows with what has come", maxChunkSize),
		"chunk streams":                                          fmt.Sprintf("%d, with %d MiB of messages that are not whole", maxChunkStreams, maxUnfinished>>20),
		"one message":                                            fmt.Sprintf("%d MiB of media, %s of script or command", maxMessage>>20, kib(flv.MaxScript)),
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
	for length, refused := range map[uint32]bool{maxMessage: false, maxMessage + 1: true} {
		header := []byte{4, 0, 0, 0}
		header = append(header, binary.BigEndian.AppendUint32(nil, length)[1:]...)
		header = append(header, msgVideo, 1, 0, 0, 0)
		_, err := newChunkReader(bytes.NewReader(append(header, make([]byte, firstChunkSize)...)), nil).read()
		if err == nil || strings.Contains(err.Error(), "the most is") != refused {
			t.Errorf("a message of %d bytes: %v", length, err)
		}
	}
}
