// Package index reads and writes index.txt, the list of channels that PeerCast's index pages
// ("yellow pages", YP) give out and that every PeerCast reads: one line per channel, 19 fields
// joined by "<>". It does no I/O but to read from what it is given.
//
//	list, err := index.Parse(body, index.Bounds{})
//	for _, c := range list { fmt.Println(c.Name, c.Tip) }
//
// Who writes a list is a stranger, and so is each broadcaster in it. What is read is bounded
// ([Bounds]), a line with a mistake costs that line alone, and all text comes out as one clean
// line each (oneline.Clean).
//
// The fields, in order:
//
//	 1 name           text
//	 2 id             32 hex digits; all zero is a notice of the page's, no channel
//	 3 tip            host:port of who has the channel; empty if nobody can be reached
//	 4 contact        URL
//	 5 genre          text
//	 6 description    text
//	 7 listeners      number, negative if hidden
//	 8 relays         number, negative if hidden
//	 9 bit rate       kbit/s
//	10 type           FLV, MKV, WMV …
//	11 artist         of the track, text
//	12 album          text
//	13 title          text
//	14 track contact  URL
//	15 name again     percent-encoded UTF-8; not read
//	16 uptime         h:mm
//	17 status         "click"; not read
//	18 comment        text
//	19 direct         1 if players may fetch it from the tip, else 0
//
// "<", ">" and "&" in a value are written as HTML entities. Lines are UTF-8, or Shift_JIS from old
// pages; each line is looked at by itself, because one stranger's line says nothing about the next.
package index
