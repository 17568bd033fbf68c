package doctor

import (
	"fmt"

	"relay/cli/term"
	"relay/playback/api"
	"relay/relay"
)

// usualRates are the usual bit rates of 720p, 1080p and 1080p at 60 frames per second, in
// bit/s.
var usualRates = []int{3_000_000, 6_000_000, 9_000_000}

func (m machine) checkUpload() []Finding {
	f := findings{topic: "Upload"}
	if m.upload > 0 {
		var fit []string
		for _, r := range usualRates {
			fit = append(fit, fmt.Sprintf("%d at %s", int(float64(m.upload)*relay.UploadShare)/r, term.RateText(r)))
		}
		f.fine("%s of upload carry this many viewers on other networks: %s. Each of them passes it on to more.", term.RateText(m.upload), term.Spelt(fit))
	}
	for i, t := range m.trees.Channels {
		if m.running == nil {
			break
		}
		for _, n := range t.Nodes {
			if n.ID == t.Self {
				m.checkSlots(&f, m.trees.Channels[i], n)
			}
		}
	}
	if len(f.all) == 0 {
		f.note("To plan ahead, look it up in your contract, and run relay doctor --upload 20M. relay source --upload 20M keeps to it.",
			"How much this machine can upload is not known; a relay that runs finds out.")
	}
	return f.all
}

func (m machine) checkSlots(f *findings, t api.ChannelTree, n api.TreeNode) {
	what := term.Plural(n.Slots, "child", "children")
	switch {
	case n.Slots == 0:
		f.note("If its upload is better than that, --upload says so.", "The relay here passes channel %s on to nobody.", t.Name)
	case n.SlotsFree == 0:
		f.note("If its upload is better than that, --upload and --max-children say so.",
			"The relay here carries all it can of channel %s: %s, %s. Others are sent to nodes further down.", t.Name, what, term.RateText(int(n.UploadBPS)))
	default:
		f.fine("The relay here has room for %s of channel %s, %d more than now; %s go to them.", what, t.Name, n.SlotsFree, term.RateText(int(n.UploadBPS)))
	}
}
