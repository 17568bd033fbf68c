package words

import (
	"fmt"
	"strings"
	"time"

	"relay/cli/term"
	"relay/playback/api"
)

// Sight is what there is to say of a channel's situation (playback/api): what happened, and what happens next or
// can be done.
type Sight struct {
	Text string // a whole sentence
	Next string // likewise
}

// sightWords says one situation. In its texts %s, if there is one, is when it began, as clockText writes it.
type sightWords struct {
	line   []string // of the status line: what it is, and pieces that follow
	text   string
	next   string
	colour string
	ticks  bool // the line says for how long
}

// lateAfter is how long a search goes on until it is said since when, and what to check. The page says it as late.
const lateAfter = 15 * time.Second

// sightKey is a situation, and at whom it is seen.
type sightKey struct {
	name api.SituationName
	who  who
}

type who uint8

const (
	anybody who = iota
	atSource
	ofPrivate
	late
)

var sights = map[sightKey]sightWords{
	{api.Looking, anybody}: {
		[]string{"LOOKING for the channel", "no node of it has answered yet"},
		"No node of the channel has answered yet.", "They are asked again and again.", term.Yellow, true,
	},
	{api.Looking, late}: {
		[]string{"LOOKING for the channel", "no node of it answers"},
		"No node of the channel has answered since %s.", "Is the broadcaster on, is the link the newest, and does this machine have a network? They are asked again and again.", term.Red, true,
	},
	{api.Full, anybody}: {
		[]string{"NO PLACE is free", "asked again and again"},
		"All nodes of the channel that answer pass it on to as many others as they can.", "They are asked again and again, and a place that gets free is taken.", term.Yellow, true,
	},
	{api.Unknown, anybody}: {
		[]string{"NOT FOUND there", "asked again and again"},
		"A node at the link's address answers, and does not carry this channel.", "Is the link the newest? It is asked again and again.", term.Red, true,
	},
	{api.Unknown, ofPrivate}: {
		[]string{"NOT FOUND there", "the secret may be wrong"},
		"A node at the link's address answers, and does not carry this channel, or the secret is another one.", "Is the link whole, and the newest? It is asked again and again.", term.Red, true,
	},
	{api.Recording, anybody}: {
		[]string{"NOT LIVE", "a recording is offered"},
		"What is offered is a recording, or a clock is wrong, so it is not played.", "The live stream is looked for.", term.Yellow, true,
	},
	{api.Refused, anybody}: {
		[]string{"REFUSED", "asked again and again"},
		"No node lets this one in.", "Perhaps they run another version of relay. They are asked again and again.", term.Red, true,
	},
	{api.Waits, anybody}: {
		[]string{"WAITING for the broadcaster to begin"},
		"The channel is open, and nothing has been sent yet.", "It begins by itself.", term.Yellow, false,
	},
	{api.Waits, atSource}: {
		[]string{"WAITING for the encoder"},
		"No encoder has sent anything yet.", "Start the encoder, with the Server and Key that relay source has printed.", term.Yellow, false,
	},
	{api.Starting, anybody}: {
		[]string{"WAITING for the first picture"},
		"The broadcaster has begun, and the picture is on its way.", "It begins by itself.", term.Yellow, false,
	},
	{api.OnAir, anybody}: {[]string{"LIVE"}, "The channel is live.", "", term.Green, false},
	{api.Paused, anybody}: {
		[]string{"PAUSED", "the source sends nothing"},
		"The source has sent nothing since %s.", "This node stays connected and goes on when it does.", term.Yellow, true,
	},
	{api.Paused, atSource}: {
		[]string{"NO ENCODER", "viewers stay connected"},
		"No encoder has sent anything since %s.", "Start it again to go on; viewers stay connected.", term.Red, false,
	},
	{api.Stuck, anybody}: {
		[]string{"NO PICTURE from the encoder", "viewers stay connected"},
		"The encoder is connected, and has sent nothing since %s.", "If it does not go on, stop it and start it again; viewers stay connected.", term.Red, true,
	},
	{api.Reconnects, anybody}: {
		[]string{"RECONNECTING", "looking for another way to the source"},
		"The node that sent the stream is gone.", "Another one takes over.", term.Yellow, true,
	},
	{api.Reconnects, late}: {
		[]string{"RECONNECTING", "no node of the channel answers"},
		"No node of the channel has answered since %s.", "Does this machine have a network? The broadcast may go on elsewhere. They are asked again and again.", term.Red, true,
	},
	{api.SourceAway, anybody}: {
		[]string{"SOURCE AWAY", "goes on when it is back"},
		"The source is away: nobody has had a way to it since %s.", "This node goes on by itself when it is back.", term.Red, true,
	},
	{api.Over, anybody}: {
		[]string{"ENDED at %s", "goes on if the broadcast does"},
		"The broadcast has ended: the last picture was sent at %s.", "Should it go on, this node does too.", term.Yellow, false,
	},
	{api.Over, atSource}: {
		[]string{"ENDED at %s", "start the encoder to go on", "viewers stay connected"},
		"No encoder has sent anything since %s.", "Start it again to go on; viewers stay connected.", term.Red, false,
	},
	{api.Disconnected, anybody}: {
		[]string{"NO NETWORK", "this machine has no way to any other"},
		"This machine has had no way to any other since %s.", "Check its cable, its Wi-Fi or its router; it goes on by itself.", term.Red, true,
	},
	{api.ClosedHere, anybody}: {[]string{"CLOSED"}, "The channel is no longer open here.", "", term.Yellow, false},
}

// sightOf returns the words for a situation, those of a node that is the source or of a private channel where
// there are some.
func sightOf(s api.Situation, source, private bool) sightWords {
	if s.Name == "" { // of a relay of an older version
		s.Name = api.Looking
	}
	for _, k := range []struct {
		is  bool
		who who
	}{{source, atSource}, {private, ofPrivate}, {lasted(s) >= lateAfter, late}} {
		if w, ok := sights[sightKey{s.Name, k.who}]; ok && k.is {
			return w
		}
	}
	return sights[sightKey{s.Name, anybody}]
}

// Situation says what a viewer sees in whole sentences. source is whether the node is the source.
func Situation(s api.Situation, source, private bool, now time.Time) Sight {
	w := sightOf(s, source, private)
	return Sight{filled(w.text, s, now), w.next}
}

// situationPieces begins a status line.
func situationPieces(st term.Style, s api.Situation, source, private bool, now time.Time) []term.Piece {
	w := sightOf(s, source, private)
	p := []term.Piece{indicator(st, s.Name == api.OnAir, filled(w.line[0], s, now), w.colour)}
	if w.ticks {
		p = append(p, term.Piece{Text: "for " + term.UptimeText(max(1, s.ForS)), Keep: 8})
	}
	for _, more := range w.line[1:] { // before figures, which say little while there is no picture
		p = append(p, term.Piece{Text: more, Comma: true, Keep: 8})
	}
	return p
}

func lasted(s api.Situation) time.Duration { return time.Duration(s.ForS) * time.Second }

// filled puts the moment into a text that has a place for it.
func filled(text string, s api.Situation, now time.Time) string {
	if !strings.Contains(text, "%s") {
		return text
	}
	return fmt.Sprintf(text, clockText(s.Since, now))
}

// clockText writes a moment as the time of the day, with the day if that is another one.
func clockText(at, now time.Time) string {
	if at.IsZero() {
		return "some time ago"
	}
	at, now = at.In(now.Location()), now.In(now.Location())
	if at.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Format("15:04")
	}
	return at.Format("2006-01-02 15:04")
}
