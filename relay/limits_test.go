package relay

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"relay/relay/membership"
	"relay/relay/wire"
)

// TestLimitsAreAsTheSpecificationSays compares the last table of wire/spec.md with the
// constants.
func TestLimitsAreAsTheSpecificationSays(t *testing.T) {
	rate := func(each, burst int) string { return fmt.Sprintf("%d a second, %d at once", each, burst) }
	kib := func(n int) string { return fmt.Sprintf("%d KiB", n>>10) }
	seconds := func(d time.Duration) string { return fmt.Sprintf("%v s", d.Seconds()) }
	want := map[string]string{
		"time until hello has come":                                       seconds(handshakeTime),
		"bytes until hello has come":                                      kib(handshakeBytes),
		"connections that wait to shake hands, at a time":                 fmt.Sprint(atTheDoor),
		"handshakes under way, at a time":                                 fmt.Sprint(handshakes),
		"a handshake gives way, while all are taken, after":               fmt.Sprintf("%v to a prefix with fewer, %v to any", slowAfter, stalledAfter),
		"connections from one address":                                    rate(joinRate, joinBurst),
		"frames of the tree that a peer may send, samples with them":      fmt.Sprintf("%d a second", controlRate),
		"chunks, sums, headers and beats that come over a link once more": rate(repeatRate, repeatBurst),
		"chunks that wait for missing ones before them":                   kib(holeBytes) + ", " + seconds(holeTime),
		"facts that a child may send":                                     fmt.Sprintf("%d a second", factsFrames),
		"names that a child may send":                                     rate(namesRate, namesBurst),
		"names told on at once":                                           fmt.Sprintf("%d in %s", namesAtOnce, seconds(gaugeInterval)),
		"names of one survey":                                             fmt.Sprintf("%d, asked for within %s", wire.MaxNames, seconds(whoIsTime)),
		"who watch, of one node and of a channel":                         fmt.Sprintf("%d, %d", nodeWatching, treeWatching),
		"frames of the tree that wait to be written":                      fmt.Sprint(controlQueue),
		"a peer that takes nothing is cut after":                          seconds(stuckAfter),
		"last words on a link that is closed":                             seconds(closeTime),
		"answers to survey, to all who ask":                               kib(answerRate) + " a second, " + kib(answerBurst) + " at once",
		"proofs of a token from one address":                              fmt.Sprintf("%.0f a minute, %d at once", guessRate*60, guessBurst),
		"channels that sources have brought with a token, at a time":      fmt.Sprint(DefaultBrought),
		"children tried, at a time":                                       fmt.Sprint(trials),
		"strangers dialled back, at a time":                               fmt.Sprint(dialBacksMost),
		"connections to one address, to try nodes there":                  fmt.Sprintf("%.0f a minute, %d at once", trialRate*60, trialBurst),
		"epochs compared, at a time, in a channel":                        fmt.Sprintf("%d; not with one node again for %s", compareMost, seconds(compareAgain)),
		"offers kept for a channel":                                       fmt.Sprint(maxOffers),
		"channels whose double is kept":                                   fmt.Sprintf("%d, for %v", theftsMost, theftKept),
		"nodes without a link that the finder of a double tells":          fmt.Sprintf("%d, within %s", tellMost, seconds(tellTime)),
		"calls over one link":                                             rate(int(callRate), callBurst),
		"links kept for calls after a refer":                              seconds(carriedFor) + ", " + fmt.Sprint(carriedMost) + " for a channel",
		"meetings that one link may ask for":                              fmt.Sprintf("1 in %.0f s, %d at once", 1/float64(meetRate), meetBurst),
		"meetings, at a time, in a channel":                               fmt.Sprint(meetingsMost),
		"packets to one address for one meeting":                          fmt.Sprintf("%d; never to a port below %d", meetTries, reservedPorts),
		"members with one address, in one prefix":                         fmt.Sprintf("%d, %d; not in the own networks, nor with a link", membership.AddressShare, membership.PrefixShare),
		"dials in vain on one node's word":                                rate(tellerRate, tellerBurst),
		"dials in vain to one address":                                    fmt.Sprintf("1 in %.0f s, %d at once", 1/targetRate, targetBurst),
		"gossip packets from one address":                                 rate(packetRate, packetBurst),
		"bytes of one stream of gossip":                                   kib(gossipBytes),
	}
	spec, err := os.ReadFile("wire/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	_, limits, found := strings.Cut(string(spec), "\n## Limits\n")
	limits, _, _ = strings.Cut(limits, "\n## ")
	if !found {
		t.Fatal("the specification has no limits")
	}
	got := map[string]string{}
	for _, m := range regexp.MustCompile(`(?m)^\| (.+?) \| (.+?) \|$`).FindAllStringSubmatch(limits, -1)[1:] {
		got[m[1]] = m[2]
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			t.Errorf("the specification has a limit that this test does not know: %q", name)
		}
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: the specification says %q, the constants %q", name, got[name], value)
		}
	}
}
