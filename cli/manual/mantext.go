package manual

// What the manual page says beside the commands.

const manAbout = `relay brings live video from one person to many, without a server. The broadcaster runs
relay source and points OBS or ffmpeg at it; everyone else runs relay watch and opens a
local address in VLC, mpv or a browser. Every watcher passes the stream on.

Flags may stand before or behind the arguments; behind "--" there are none. Each flag
--some-flag can also be set as RELAY_SOME_FLAG in the environment, or in config.toml; the
command line goes before the environment, and that before the file.

A secret is best kept in a file that you alone can read (chmod 600): --key, --token and
--passphrase take @FILE, and warn if others can read it.

Results go to standard output, everything else to standard error: errors as "relay:
error: ...", and what to do about them as "relay: hint: ...". The first Ctrl-C ends a
command in good order, the second at once.`

var manEnvironment = [][2]string{
	{"RELAY_*", "Sets a flag: RELAY_MAX_CHILDREN sets --max-children. An empty one is as good as none."},
	{"NO_COLOR", "If it is set, relay uses no colours."},
	{"LC_ALL, LC_MESSAGES, LANG, LANGUAGE", "The language of what relay says on a terminal, if it is German, English, Spanish, French, Japanese or Chinese (simplified). What programs read stays as it is, and so does this page."},
	{"RELAY_LANG", "The language, before those: en, de, es, fr, ja or zh-Hans. relay --lang CODE likewise."},
	{"LC_ALL, LC_CTYPE, LANG", "Without a UTF-8 locale trees are drawn in ASCII, and all is said in English."},
	{"XDG_CONFIG_HOME", "Where the configuration folder is, on Linux and other Unix systems."},
}

var manFiles = [][2]string{
	{"~/.config/relay", "The folder with the keys, readable by you alone; relay refuses keys that others can read. On macOS it is ~/Library/Application Support/relay, on Windows %AppData%\\relay. --config names another."},
	{"~/.config/relay/config.toml", "Sets flags by their names, as in upload = \"20M\"; what follows a line such as [source] holds for that command alone."},
	{"~/.config/systemd/user/relay.service", "What relay service install writes on Linux. On macOS it is ~/Library/LaunchAgents/relay.serve.plist, on Windows the task relay."},
	{"~/.config/relay/node.key", "The key by which other nodes know this one. It is no channel's, and relay key import refuses it."},
	{"~/.config/relay/channels/NAME.key", "The key of a channel that is broadcast from here. Whoever has it can broadcast that channel; without it the link cannot be kept."},
	{"~/.config/relay/channels/NAME.stream", "What an encoder has to know to publish."},
	{"~/.config/relay/channels/NAME.secret, ID.secret", "What is behind the # of a private channel's link: of one that is broadcast from here, and of one that was watched."},
	{"~/.config/relay/channels/NAME.epoch", "When the channel was last started."},
	{"~/.config/relay/domains", "The channels that domains have named, to notice when one names another."},
	{"~/.config/relay/follow", "The channels that you follow, by names of your own: a text file to edit and to share."},
	{"~/.config/relay/channels/ID.members", "Nodes of a channel that was watched, to join it by again."},
}

var manExamples = [][2]string{
	{"Broadcast what OBS sends, and print what to paste into it:", "relay source"},
	{"Broadcast a file, again and again:", "relay source movie.flv --loop"},
	{"Broadcast whatever ffmpeg reads:", "ffmpeg -re -i INPUT -c copy -f flv - | relay source -"},
	{"Watch in mpv:", "relay watch LINK --player mpv"},
	{"Record without watching, for half a minute at most without a connection:", "relay watch LINK -o show.flv --timeout 30s"},
	{"See who is served, and how well:", "relay top"},
	{"Send the link to a friend again, or show it to a phone:", "relay link --qr"},
	{"Pass a channel on from now on, in the background:", "relay service install LINK --upload 20M"},
	{"Find out what is wrong:", "relay doctor"},
}
