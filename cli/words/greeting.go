package words

// Greeting is what relay source says when it starts.
type Greeting struct {
	Server, Key string // for the encoder; "" if the source fetches its media
	SRT         string // likewise over SRT, with the key; "" for none
	WHIP        string // likewise, over WHIP; "" for none
	Sent        string // the address that MPEG-TS is sent to; "" if there is none
	Film        string // the page that broadcasts from a browser on this machine; "" for none
	Page        string
	Near        bool // the page can be reached from the network
	Found       bool // relay watch finds the channel by itself
	Link        string
	Local       bool // nobody outside this machine can reach the source, though its settings allow it
	URL         string
	Private     bool     // only who has the link can watch
	Phrase      bool     // and the passphrase besides
	Code        []string // the QR code of Page, for phones
	PeerCast    bool     // what is sent comes from a channel of PeerCast
	Foreign     string   // which its broadcaster calls so; "" if not told
}

// Lines returns the greeting's lines, without line ends.
func (g Greeting) Lines() []string {
	var all []string
	add := func(lines ...string) { all = append(all, lines...) }
	if len(g.Code) > 0 {
		add(g.Code...)
		add("")
	}
	if g.Server != "" {
		add(`Waiting for an encoder. In OBS: Settings > Stream > Service "Custom...":`,
			"",
			"  Server  "+g.Server,
			"  Key     "+g.Key,
			"")
	}
	if g.SRT != "" {
		add("Or over SRT, with an empty Key:",
			"",
			"  Server  "+g.SRT,
			"")
	}
	if g.WHIP != "" {
		add(`Or over WHIP. In OBS: Settings > Stream > Service "WHIP":`,
			"",
			"  Server  "+g.WHIP,
			"  Bearer Token  "+g.Key,
			"")
	}
	if g.Sent != "" {
		add("Waiting for MPEG-TS at "+g.Sent, "")
	}
	if g.Film != "" {
		add("Or without one: a camera, a microphone or a screen, in a browser on this machine:",
			"",
			"  Film    "+g.Film,
			"")
	}
	if g.PeerCast {
		from := "a channel of PeerCast"
		if g.Foreign != "" {
			from = g.Foreign + ", a channel of PeerCast"
		}
		add("From    "+from,
			"        (PeerCast signs nothing: your key vouches for what came in here, and not for who made it)")
	}
	add("Page    " + g.Page)
	switch {
	case len(g.Code) > 0:
		add("        (in any browser on this network; phones scan the code above)")
	case g.Near:
		add("        (in any browser on this network)")
	default:
		add("        (in a browser on this machine)")
	}
	add("Share   relay watch " + g.Link)
	switch {
	case g.Local:
		add("        (this machine only: it has no other network address)")
	case g.Phrase:
		add("        (private: whoever has the passphrase, too, can watch; relay link --join-only is for helpers)")
	case g.Private:
		add("        (private: whoever has this link can watch; relay link --join-only is for helpers)")
	case g.Found:
		add("        (on this network relay watch finds it by itself)")
	}
	add("Watch   "+g.URL,
		"        (on this machine, in VLC, mpv or ffplay)")
	return all
}
