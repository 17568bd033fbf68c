package doctor

import (
	"fmt"
	"strings"
	"time"

	"relay/cli/fault"
	"relay/cli/term"
	"relay/relay/stream"
)

// firstYear is the year in which this program was written. A clock that shows an earlier year
// is wrong.
const firstYear = 2026

func (m machine) checkFolder() []Finding {
	f := findings{topic: "Keys and clock"}
	dir := m.folder
	switch {
	case dir.Err != nil && dir.Dir == "":
		f.todo("Set HOME, or name a folder for the keys by --config DIR.", "There is no folder for the keys: %s.", fault.Plain(dir.Err))
	case dir.Err != nil:
		f.todo("Make it a folder that you can write, or name another by --config DIR. relay watch works without, under a new name with every start.",
			"The folder for the keys, %s, cannot be used: %s.", dir.Dir, fault.Plain(dir.Err))
	case !dir.Exists:
		f.fine("The folder for the keys, %s, is not there yet; the first run makes it.", dir.Dir)
	default:
		f.fine("The keys are in %s, which can be written.", dir.Dir)
	}
	for _, o := range dir.Exposed {
		f.todo(fmt.Sprintf("If nobody has copied it, run: chmod %o %s", o.Want, o.Path), "Others can read %s (mode %04o), so relay does not use it.", o.Path, o.Mode)
	}
	if dir.Unusable != nil && len(dir.Exposed) == 0 {
		f.todo("Move the file away, and the channel gets a new key, and with it a new link; or bring back a copy.", "Not all keys can be used: %s.", strings.ReplaceAll(fault.Plain(dir.Unusable), "\n", "; "))
	}
	if len(dir.Channels) > 0 {
		var names []string
		for _, c := range dir.Channels {
			names = append(names, c.Name+" ("+c.ID.Short()+")")
		}
		f.fine("Channels of this machine: %s. relay link NAME prints their links.", term.Spelt(names))
	}
	m.checkClock(&f)
	return f.all
}

func (m machine) checkClock(f *findings) {
	for _, s := range m.folder.Starts {
		if s.At.After(m.now.Add(stream.MaxEpochAhead)) {
			f.todo("Set the clock to the time of the network. If it is right now, and was ahead then, remove "+s.File+" while nobody watches.",
				"Channel %s was last started at %s, which is in the future by this machine's clock (%s): viewers would refuse it.", s.Channel, s.At.UTC().Format(time.DateTime), m.now.UTC().Format(time.DateTime))
			return
		}
	}
	if m.now.Year() < firstYear {
		f.todo("Set it to the time of the network: viewers refuse streams of a machine whose clock is more than 5 minutes ahead of theirs.",
			"The clock shows %s, which is long past.", m.now.UTC().Format(time.DateTime))
		return
	}
	f.fine("The clock shows %s UTC; more than 5 minutes ahead of the viewers', it would keep them out.", m.now.UTC().Format(time.DateTime))
}
