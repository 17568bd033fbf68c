package flag

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"relay/cli/ask"
)

// Words that are no command of relay's, and mean something: what to do, by the words that people try, which
// other programs have for it.
var meantCommands = []struct{ words, next string }{
	{"install enable systemd autostart", "relay service install has relay start by itself from now on; relay service status shows it"},
	{"uninstall remove delete disable", "relay service remove takes the service away. relay itself is one file, and its keys are in the relay folder of your configuration directory"},
	{"upgrade", "relay update --check says whether there is a newer one"},
	{"stop quit exit end kill shutdown leave disconnect", "Ctrl-C in the window where relay runs ends it; relay service remove ends a service of yours"},
	{"restart reload", "Ctrl-C in the window where relay runs ends it; start it again as before, and viewers go on"},
	{"start run go up stream broadcast publish host live send cast push record", "to broadcast: relay source. To watch: relay watch"},
	{"share invite", "relay source broadcasts, and prints the link to share; relay link prints it again"},
	{"play view join connect open receive listen subscribe pull get player", "to watch a channel: relay watch LINK; relay watch alone finds what is broadcast on this network"},
	{"status stats info ps show peers nodes viewers children who map graph", "relay tree shows who passes the channel on to whom; relay top shows it live"},
	{"ls channels discover search find scan browse lan", "relay list shows what is broadcast on this network"},
	{"url address qr code qrcode page web ui gui browser", "relay link --page prints the page's address, and relay link --qr draws the link for phones"},
	{"server daemon relay mirror pass forward helper edge proxy", "relay serve LINK passes a channel on as a service"},
	{"keys keygen identity export import rotate", "relay key shows the keys of your channels; relay key export, import and rotate take care of them"},
	{"check test diagnose debug diag ping troubleshoot", "relay doctor says what keeps a stream from getting through"},
	{"log logs verbose", "--verbose shows what happens: relay source --verbose, relay watch --verbose"},
	{"config configure settings set setup init login register account", "nothing has to be set up: relay source broadcasts, and relay watch watches. Flags can stay in config.toml; relay help says how"},
	{"about --v -v -V", "relay version says which one this is"},
	{"usage commands ? /? -? manual guide", "relay help lists the commands"},
}

// meantCommand says what to do where a word is no command, "" if nobody knows what is meant.
func meantCommand(word string) string {
	lower := strings.ToLower(word)
	for _, m := range meantCommands {
		if slices.Contains(strings.Fields(m.words), lower) {
			return m.next
		}
	}
	scheme, _, isURL := strings.Cut(lower, "://")
	p, err := ask.Paste(word)
	switch {
	case strings.HasPrefix(lower, "relay:") && !strings.Contains(word, "#"):
		return "to watch that link: relay watch " + word
	case strings.HasPrefix(lower, "relay:"):
		return "to watch that link: relay watch, and the link behind it" // it has a secret
	case isURL && strings.HasPrefix(scheme, "http") && !ask.MediaFile(word):
		return "to watch a channel whose page that is: relay watch " + word
	case isURL, ask.MediaFile(word):
		return "to broadcast that: relay source, and the name behind it"
	case err == nil && (p.Page != nil || p.Link()):
		return "to watch a channel: relay watch, and its link or the page's address behind it"
	}
	return ""
}

// meantFlags are flags of other programs: which of ours is meant, by the words that people try. The first
// that the command has counts.
var meantFlags = []struct {
	words string
	flags []string // "" for none
	next  string
}{
	{"p port ports", []string{"http", "rtmp", "listen"}, "each port has a flag of its own: --http ADDR for players, --listen ADDR for other nodes, and for an encoder --rtmp ADDR"},
	{"b bind host address addr ip a interface", []string{"listen", "http"}, "each port has an address of its own: --http ADDR for players, --listen ADDR for other nodes, and for an encoder --rtmp ADDR"},
	{"q quiet silent s", nil, "relay says little by itself; 2>/dev/null hides the rest"},
	{"v debug trace log loglevel log-level", []string{"verbose"}, "--verbose shows what happens"},
	{"d daemon background detach fork", nil, "relay stays in the foreground; cli/deploy has a systemd unit for relay serve"},
	{"i input file f url u re stream", []string{"loop"}, "the input stands by itself: relay source movie.flv"},
	{"link url u connect join channel-id", []string{"player"}, "the link stands by itself: relay watch LINK"},
	{"c conf cfg", []string{"config"}, "--config DIR names the folder with config.toml and the keys"},
	{"k stream-key streamkey secret", []string{"key"}, "--key KEY sets what the encoder has to give"},
	{"password passwd pass pw protect encrypt", []string{"private"}, "--passphrase ask has viewers asked for a passphrase; --private puts a secret into the link"},
	{"password passwd pass pw secret", []string{"passphrase"}, "the passphrase is asked for; --passphrase @FILE reads it from a file"},
	{"t name caption", []string{"title"}, "--title TEXT is what viewers see"},
	{"bitrate vb rate quality crf preset fps resolution size codec vcodec acodec", []string{"upload"}, "relay sends what the encoder makes: bit rate, size and codec are set there. --upload RATE says what the line carries"},
	{"bandwidth max-upload upload-limit limit-upload limit up ul maxrate", []string{"upload"}, "--upload RATE says what the line carries, as in 20M"},
	{"max-clients max-connections max-users clients slots peers max-peers", []string{"max-children"}, "--max-children N bounds the nodes that this one feeds, --max-viewers N the players"},
	{"save out w record-to file", []string{"record"}, "--record FILE keeps what is watched"},
	{"no-upnp upnp no-nat nat no-pmp", []string{"no-port-mapping"}, "--no-port-mapping leaves the router alone"},
	{"no-lan no-mdns local offline", []string{"no-discovery"}, "--no-discovery keeps the channel from being found on this network"},
	{"repeat l forever", []string{"loop"}, "--loop repeats the file for ever"},
	{"open vlc mpv ffplay browser", []string{"player"}, "--player mpv, vlc or ffplay starts a player on the stream"},
	{"public external external-ip announce", []string{"advertise"}, "--advertise HOST:PORT is where others reach this node"},
}

// meantFlag says which of a command's flags is meant by one of another program's, "" if nobody knows.
func meantFlag(word string, has []cli.Flag) string {
	names := Names(has)
	for _, m := range meantFlags {
		fits := len(m.flags) == 0 || slices.ContainsFunc(m.flags, func(f string) bool { return slices.Contains(names, f) })
		if fits && slices.Contains(strings.Fields(m.words), strings.ToLower(word)) {
			return m.next
		}
	}
	return ""
}

// valueOf says what a flag takes, as in "-o FILE: write FLV to FILE".
func valueOf(name string, flags []cli.Flag) string {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			value, about := Words(f)
			return Dashed(name) + " " + value + ": " + about
		}
	}
	return ""
}

// undashed writes the dashes that programs make of two hyphens as those again.
func undashed(arg string, flags []cli.Flag) string {
	for _, dash := range []string{"—", "–", "−", "‐"} {
		rest, ok := strings.CutPrefix(arg, dash)
		if !ok {
			continue
		}
		rest = strings.TrimLeft(rest, "-—–−‐")
		name, _, _ := strings.Cut(rest, "=")
		if slices.Contains(Names(flags), name) {
			return Dashed(name) + strings.TrimPrefix(rest, name)
		}
	}
	return arg
}
