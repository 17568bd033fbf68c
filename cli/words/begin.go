package words

// Begin is what relay asks who types nothing but its name: what is wanted, by one key. Marks stand for the
// key itself, which is drawn so that it can be told from the text.
var Begin = []struct {
	Key     rune
	Command string // what it is short for; "" for help
	Text    string
}{
	{'b', "source", "broadcast what OBS or ffmpeg sends, and get a link to share"},
	{'w', "watch", "watch what is broadcast on this network; with a link: relay watch LINK"},
	{'h', "", "see everything that relay does"},
}

const (
	BeginTitle = "relay - live video from one person to many, without a server"
	BeginAsk   = "One key, please (q to leave):"
	BeginRuns  = "This is: relay %s"
)
