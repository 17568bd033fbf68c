package hostile

import (
	"testing"

	"relay/relay/stream"
)

// leastInputs is how many hostile inputs there have to be at least, without those that need the key.
const leastInputs = 500

func TestTheTablesHaveEnough(t *testing.T) {
	total, of := 0, map[Port]int{}
	for _, table := range Tables(stream.ChannelID{1}, "key") {
		names := map[string]bool{}
		for _, in := range table.Inputs {
			if in.Name == "" || names[in.Name] {
				t.Errorf("%s: there are two called %q", table.Port, in.Name)
			}
			names[in.Name] = true
			if packets := table.Port.Packets(); packets != (in.Want == Dropped || in.Want == Ignored) && in.Want != Answered {
				t.Errorf("%s, %s: it cannot be %v", table.Port, in.Name, in.Want)
			}
			if table.Port.Packets() && len(in.Bytes) > 65507 {
				t.Errorf("%s, %s: %d bytes fit no packet", table.Port, in.Name, len(in.Bytes))
			}
		}
		of[table.Port] = len(table.Inputs)
		if table.Port != Media {
			total += len(table.Inputs)
		}
	}
	t.Logf("%d inputs, besides %d with the key, and %d files: %v", total, of[Media], len(Files()), of)
	if total < leastInputs {
		t.Errorf("there are %d inputs, want %d", total, leastInputs)
	}
	for _, p := range Ports {
		if of[p] == 0 {
			t.Errorf("there are none for %s", p)
		}
	}
}
