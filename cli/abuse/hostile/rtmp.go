package hostile

import (
	"fmt"
	"strings"
)

// Types of RTMP's messages.
const (
	setChunkSize = 1
	abortMessage = 2
	acknowledged = 3
	userControl  = 4
	windowSize   = 5
	bandwidth    = 6
	audioMessage = 8
	videoMessage = 9
	dataAMF3     = 15
	dataAMF0     = 18
	commandAMF3  = 17
	commandAMF0  = 20
	aggregate    = 22
)

// shaken is a client's whole handshake: nothing in it depends on what the server says.
var shaken = cat("\x03", u32(0), u32(0), rep('c', 1528), u32(0), u32(0), rep('c', 1528))

// connected is a handshake and an honest connect.
func connected() []byte {
	return cat(shaken, message(3, commandAMF0, 0, command("connect", 1, amfObject(
		"app", amfString("live"), "flashVer", amfString("FMLE/3.0"), "tcUrl", amfString("rtmp://127.0.0.1/live")))))
}

// opened is connected, and has a message stream.
func opened() []byte {
	return cat(connected(), message(3, commandAMF0, 0, command("createStream", 2, amfNull())))
}

// rtmpTable is what strangers say at the encoder's port.
func rtmpTable() Table {
	return Table{Port: RTMP, Inputs: append(append(rtmpHandshakes(), rtmpChunks()...), append(rtmpValues(), rtmpCommands()...)...)}
}

func rtmpHandshakes() []Input {
	return []Input{
		{Name: "nothing", Want: Ended},
		{Name: "version 0", Bytes: cat("\x00", rep(0, 1536)), Want: Refused},
		{Name: "version 2", Bytes: cat("\x02", rep(0, 1536)), Want: Refused},
		{Name: "version 4", Bytes: cat("\x04", rep(0, 1536)), Want: Refused},
		{Name: "version 6, encrypted", Bytes: cat("\x06", rep('x', 1536)), Want: Refused},
		{Name: "version 8, encrypted", Bytes: cat("\x08", rep('x', 1536)), Want: Refused},
		{Name: "version 255", Bytes: rep(255, 1537), Want: Refused},
		{Name: "half of C1", Bytes: cat("\x03", rep(0, 700)), Want: Ended},
		{Name: "C0 alone", Bytes: []byte{3}, Want: Ended},
		{Name: "C1 alone", Bytes: cat("\x03", rep(0, 1536)), Want: Ended},
		{Name: "half of C2", Bytes: shaken[:2000], Want: Ended},
		{Name: "the handshake alone", Bytes: shaken, Want: Ended},
		{Name: "a handshake of Flash 10 with a digest of zeros", Bytes: cat("\x03", u32(1), "\x80\x00\x07\x02", rep(0, 1528)), Want: Ended},
		{Name: "digest offset beyond the handshake", Bytes: cat("\x03", u32(1), "\x80\x00\x07\x02", rep(255, 1528)), Want: Ended},
		{Name: "time and version of ones", Bytes: cat("\x03", rep(255, 1536)), Want: Ended},
		{Name: "TLS", Bytes: cat("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", rep(7, 501)), Want: Refused},
		{Name: "GET", Bytes: []byte("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), Want: Refused, Says: "400 Bad Request"},
		{Name: "PUT", Bytes: []byte("PUT /live HTTP/1.1\r\n\r\n"), Want: Refused, Says: "400"},
		{Name: "HEAD", Bytes: []byte("HEAD / HTTP/1.0\r\n\r\n"), Want: Refused, Says: "400"},
		{Name: "OPTIONS, as RTSP", Bytes: []byte("OPTIONS rtsp://127.0.0.1/live RTSP/1.0\r\nCSeq: 1\r\n\r\n"), Want: Refused},
		{Name: "RTMPT", Bytes: []byte("POST /open/1 HTTP/1.1\r\nContent-Type: application/x-fcs\r\nContent-Length: 1\r\n\r\n\x00"), Want: Refused},
		{Name: "SSH", Bytes: []byte("SSH-2.0-OpenSSH_9.9\r\n"), Want: Refused},
		{Name: "SMB", Bytes: []byte("\x00\x00\x00\x54\xffSMB\x72\x00\x00\x00\x00"), Want: Refused},
		{Name: "a megabyte of zeros", Bytes: rep(0, 1<<20), Want: Refused},
		{Name: "a megabyte of threes", Bytes: rep(3, 1<<20), Want: Refused},
	}
}

// head is the header of a chunk on stream 3: type, timestamp, length, message's type and stream.
func head(ms, length int, typ byte) []byte {
	return cat("\x03", u24(ms), u24(length), typ, "\x00\x00\x00\x00")
}

func rtmpChunks() []Input {
	many := shaken
	for i := range 80 { // more chunk streams than there may be, none of which ends
		many = cat(many, "\x00", byte(i), u24(0), u24(1000), byte(videoMessage), u32(0), rep(0, 128))
	}
	all := []Input{
		{Name: "a basic header alone", Bytes: cat(shaken, "\x03"), Want: Ended},
		{Name: "half of a header", Bytes: cat(shaken, "\x03\x00\x00"), Want: Ended},
		{Name: "a two-byte basic header, cut", Bytes: cat(shaken, "\x00"), Want: Ended},
		{Name: "a three-byte basic header, cut", Bytes: cat(shaken, "\x01\xff"), Want: Ended},
		{Name: "an extended timestamp, cut", Bytes: cat(shaken, head(0xffffff, 4, userControl), "\x00\x00"), Want: Ended},
		{Name: "no header where nothing came before", Bytes: cat(shaken, "\xc3abcd"), Want: Refused},
		{Name: "a time alone where nothing came before", Bytes: cat(shaken, "\x83\x00\x00\x00abcd"), Want: Refused},
		{Name: "the same on stream 65599", Bytes: cat(shaken, "\xc1\xff\xffabcd"), Want: Refused},
		{Name: "a message of 16 MiB announced", Bytes: cat(shaken, head(0, 0xffffff, videoMessage)), Want: Refused},
		{Name: "a command of 16 MiB announced", Bytes: cat(shaken, head(0, 0xffffff, commandAMF0)), Want: Refused},
		{Name: "a message of 10 MiB and a byte announced", Bytes: cat(shaken, head(0, 10<<20+1, videoMessage)), Want: Refused},
		{Name: "a script of 1 MiB announced", Bytes: cat(shaken, head(0, 1<<20, dataAMF0), rep(0, 128)), Want: Ended},
		{Name: "80 KiB before anything is agreed on", Bytes: cat(shaken, messageAt(4, videoMessage, 1, 0, rep(1, 80<<10), 128)), Want: Refused},
		{Name: "80 chunk streams, no message whole", Bytes: many, Want: Refused},
		{Name: "an empty command", Bytes: cat(shaken, head(0, 0, commandAMF0)), Want: Refused},
		{Name: "an empty AMF3 command", Bytes: cat(shaken, head(0, 0, commandAMF3)), Want: Refused},
		{Name: "an AMF3 command of one zero", Bytes: cat(shaken, message(3, commandAMF3, 0, []byte{0})), Want: Refused},
		{Name: "chunk size 0", Bytes: cat(shaken, message(2, setChunkSize, 0, u32(0))), Want: Refused},
		{Name: "chunk size 2^31", Bytes: cat(shaken, message(2, setChunkSize, 0, u32(1<<31))), Want: Refused},
		{Name: "chunk size 2^32 - 1", Bytes: cat(shaken, message(2, setChunkSize, 0, u32(1<<32-1))), Want: Refused},
		{Name: "chunk size in two bytes", Bytes: cat(shaken, message(2, setChunkSize, 0, []byte{1, 0})), Want: Refused},
		{Name: "chunk size 2^31 - 1, then 9 MiB announced", Bytes: cat(shaken, message(2, setChunkSize, 0, u32(1<<31-1)), head(0, 9<<20, videoMessage), rep(1, 100)), Want: Ended},
		{Name: "chunk size 1, then a connect of 60 chunks", Bytes: cat(shaken, message(2, setChunkSize, 0, u32(1)),
			messageAt(3, commandAMF0, 0, 0, command("connect", 1, amfObject("app", amfString("live"))), 1)), Want: Answered, Says: "_result"},
		{Name: "chunk size 1, then 60 KiB", Bytes: cat(shaken, message(2, setChunkSize, 0, u32(1)), messageAt(4, videoMessage, 1, 0, rep(1, 60<<10), 1)), Want: Refused},
		{Name: "an abort of no stream", Bytes: cat(shaken, message(2, abortMessage, 0, u32(77))), Want: Ended},
		{Name: "an abort in two bytes", Bytes: cat(shaken, message(2, abortMessage, 0, []byte{0, 3})), Want: Ended},
		{Name: "an abort in the middle of its own message", Bytes: cat(shaken, head(0, 400, commandAMF0), rep(0, 128), message(2, abortMessage, 0, u32(3)), "\xc3", rep(0, 128)), Want: Ended},
		{Name: "a window of 0", Bytes: cat(shaken, message(2, windowSize, 0, u32(0))), Want: Ended},
		{Name: "a window of 1", Bytes: cat(connected(), message(2, windowSize, 0, u32(1)), message(2, acknowledged, 0, u32(1))), Want: Answered},
		{Name: "a window in no bytes", Bytes: cat(shaken, message(2, windowSize, 0, nil)), Want: Ended},
		{Name: "a bandwidth in one byte", Bytes: cat(shaken, message(2, bandwidth, 0, []byte{1})), Want: Ended},
		{Name: "an acknowledgement in one byte", Bytes: cat(shaken, message(2, acknowledged, 0, []byte{1})), Want: Ended},
		{Name: "a user control in one byte", Bytes: cat(connected(), message(2, userControl, 0, []byte{0})), Want: Ended},
		{Name: "a user control of no kind", Bytes: cat(connected(), message(2, userControl, 0, cat(u16(0xffff), u32(1)))), Want: Ended},
		{Name: "a ping without a time", Bytes: cat(connected(), message(2, userControl, 0, u16(6))), Want: Ended},
		{Name: "time that goes back", Bytes: cat(shaken, messageAt(2, userControl, 0, 0xfffffffe, cat(u16(3), u64(1)), 128), messageAt(2, userControl, 0, 1, cat(u16(3), u64(1)), 128)), Want: Ended},
		{Name: "an aggregate of nothing", Bytes: cat(connected(), message(4, aggregate, 1, nil)), Want: Ended},
		{Name: "an aggregate that is cut", Bytes: cat(connected(), message(4, aggregate, 1, cat("\x09", u24(100), "\x00\x00\x00\x00\x00\x00\x00abc"))), Want: Ended},
		{Name: "an aggregate within an aggregate", Bytes: cat(connected(), message(4, aggregate, 1, cat("\x16", u24(4), "\x00\x00\x00\x00\x00\x00\x00\x16\x00\x00\x00", u32(15)))), Want: Ended},
		{Name: "a shared object", Bytes: cat(connected(), message(3, 19, 0, cat(with16("x"), rep(255, 30)))), Want: Ended},
		{Name: "video before publish", Bytes: cat(connected(), message(4, videoMessage, 1, cat("\x17\x01\x00\x00\x00", rep(0, 50)))), Want: Ended},
		{Name: "the same message begun twice", Bytes: cat(shaken, head(0, 300, commandAMF0), rep(2, 128), head(0, 300, commandAMF0), rep(2, 128)), Want: Ended},
	}
	for typ := range 32 { // of no use, of no meaning, or of no length
		if typ != commandAMF0 && typ != commandAMF3 && typ != setChunkSize {
			all = append(all, Input{Name: fmt.Sprintf("type %d with one byte", typ), Bytes: cat(connected(), message(5, byte(typ), 0, []byte{255})), Want: Ended})
		}
	}
	return all
}

func rtmpValues() []Input {
	value := func(name string, v ...any) Input { // in the place of connect's object
		return Input{Name: name, Bytes: cat(shaken, message(3, commandAMF0, 0, cat(amfString("connect"), amfNumber(1), cat(v...)))), Want: Refused}
	}
	all := []Input{
		value("an array that announces 2^32 - 1", "\x0a", u32(1<<32-1)),
		value("an ECMA array that announces 2^32 - 1", "\x08", u32(1<<32-1)),
		value("a long string that announces 2^32 - 1", "\x0c", u32(1<<32-1), "abc"),
		value("an XML document that announces 2^31", "\x0f", u32(1<<31), "<a/>"),
		value("a string that is longer than the message", "\x02", u16(65535), "abc"),
		value("an object without an end", "\x03", with16("app"), amfString("live")),
		value("a key without a value", "\x03", with16("app")),
		value("a key that is longer than the message", "\x03", u16(65535), "a"),
		value("a number of three bytes", "\x00\x00\x00\x00"),
		value("a truth value of no byte", "\x01"),
		value("a reference to nothing", "\x07", u16(9)),
		value("a reference to itself", "\x03", with16("a"), "\x07", u16(0), "\x00\x00\x09"),
		value("a movie clip", "\x04"),
		value("a record set", "\x0e"),
		value("AMF3 within AMF0", "\x11\x0a\x0b\x01"),
		value("a type of no meaning", "\x7f"),
		value("an end of no object", "\x00\x00\x09"),
		value("a date, cut", "\x0b\x00\x00"),
		value("a typed object without a name", "\x10", u16(0)),
		value("arrays in arrays, 10,000 deep", strings.Repeat("\x0a\x00\x00\x00\x01", 10_000)),
		value("objects in objects, 10,000 deep", strings.Repeat("\x03\x00\x01a", 10_000)),
		value("ECMA arrays in ECMA arrays, 5,000 deep", strings.Repeat("\x08\x00\x00\x00\x01\x00\x01a", 5_000)),
		value("typed objects, 5,000 deep", strings.Repeat("\x10\x00\x01t\x00\x01a", 5_000)),
		value("an array of 10,000 nulls", "\x0a", u32(10_000), rep(5, 10_000)),
		value("an object of 5,000 empty keys", "\x03", strings.Repeat("\x00\x00\x05", 5_000), "\x00\x00\x09"),
	}
	first := func(name string, body ...any) Input {
		return Input{Name: name, Bytes: cat(shaken, message(3, commandAMF0, 0, cat(body...))), Want: Refused}
	}
	return append(all,
		first("a command of one byte", "\x02"),
		first("a command whose name is a number", amfNumber(1), amfNumber(1), amfNull()),
		first("a command whose number is a string", amfString("connect"), amfString("1"), amfNull()),
		first("a command without a number", amfString("connect")),
		first("a command named with 60 KiB", amfString(strings.Repeat("x", 60_000)), amfNumber(1)),
		first("a command in JSON", `{"connect":1}`),
		first("a command without a name", amfString(""), amfNumber(1), amfNull()),
		first("publish first", command("publish", 1, amfNull(), amfString("key"), amfString("live"))),
		first("play first", command("play", 1, amfNull(), amfString("x"))),
		first("a _result of nothing", command("_result", 1, amfNull())),
	)
}

func rtmpCommands() []Input {
	say := func(name string, want Want, says string, cmds ...[]byte) Input {
		b := opened()
		for _, c := range cmds {
			b = cat(b, message(3, commandAMF0, 1, c))
		}
		return Input{name, b, want, says}
	}
	publish := func(app any) []byte { return command("publish", 3, amfNull(), app, amfString("live")) }
	denied := "NetStream.Publish."
	all := []Input{
		say("a wrong key", Refused, denied, publish(amfString("wrong"))),
		say("no key", Refused, denied, publish(amfString(""))),
		say("a key that is a number", Refused, denied, publish(amfNumber(1))),
		say("a key that is an object", Refused, denied, publish(amfObject())),
		say("publish without arguments", Refused, denied, command("publish", 3)),
		say("a key of 50,000 letters", Refused, denied, publish(amfString(strings.Repeat("k", 50_000)))),
		say("a key with a zero in it", Refused, denied, publish(amfString("key\x00key"))),
		say("a key with orders to the terminal", Refused, denied, publish(amfString("\x1b[2J\x1b]0;owned\x07\r\nerror"))),
		say("a key that is no UTF-8", Refused, denied, publish(amfString("\xff\xfe\xc3\x28"))),
		say("a key that leads up", Refused, denied, publish(amfString("../../etc/passwd"))),
		say("a key that is an address", Refused, denied, publish(amfString("rtmp://198.51.100.1/live/x"))),
		say("a key of percent signs", Refused, denied, publish(amfString("%s%s%n%n%x"))),
		say("a key with a query", Refused, denied, publish(amfString("?key=../"))),
		say("to play what is not there", Refused, "NetStream.Play.", command("play", 3, amfNull(), amfString("nosuch"))),
		say("to play nothing", Refused, "NetStream.Play.", command("play", 3, amfNull(), amfString(""))),
		say("to play a number", Refused, "NetStream.Play.", command("play", 3, amfNull(), amfNumber(7))),
		say("to play what leads up", Refused, "NetStream.Play.", command("play", 3, amfNull(), amfString("../../../etc/passwd?start=gop"))),
		say("to play with a start of no meaning", Refused, "NetStream.Play.", command("play", 3, amfNull(), amfString("x?start=%zz"), amfNumber(-1e300))),
		say("connect a second time", Answered, "_result", command("connect", 1, amfObject("app", amfString("other")))),
		say("a command that nobody knows", Answered, "_result", command("selfDestruct", 4, amfNull())),
		say("a transaction of 1e300", Answered, "_result", command("createStream", 1e300, amfNull())),
		say("a transaction of -1", Answered, "_result", command("createStream", -1, amfNull())),
		say("deleteStream of none", Ended, "", command("deleteStream", 0, amfNull(), amfNumber(99))),
		say("closeStream", Ended, "", command("closeStream", 0, amfNull())),
		say("seek", Answered, "", command("seek", 5, amfNull(), amfNumber(-5))),
		say("pause", Answered, "", command("pause", 6, amfNull(), cat("\x01\x01"))),
		say("FCPublish without arguments", Answered, "", command("FCPublish", 7)),
		say("releaseStream of 30,000 letters", Answered, "", command("releaseStream", 8, amfNull(), amfString(strings.Repeat("r", 30_000)))),
	}
	crowd := opened() // answers that nobody reads, within what a stranger may say
	for range 900 {
		crowd = cat(crowd, message(3, commandAMF0, 0, command("createStream", 9, amfNull())))
	}
	return append(all,
		Input{"900 commands at once", crowd, Answered, "_result"},
		Input{"2,000 commands at once", cat(crowd, crowd[len(opened()):], crowd[len(opened()):]), Refused, ""},
		Input{"an app of 60,000 letters", cat(shaken, message(3, commandAMF0, 0, command("connect", 1, amfObject("app", amfString(strings.Repeat("a", 60_000)))))), Refused, ""},
		Input{"connect without an object", cat(shaken, message(3, commandAMF0, 0, command("connect", 1))), Answered, "_result"},
		Input{"connect whose app is an array", cat(shaken, message(3, commandAMF0, 0, command("connect", 1, amfObject("app", cat("\x0a", u32(1), "\x05"))))), Answered, "_result"},
		Input{"connect in AMF3's wrapping", cat(shaken, message(3, commandAMF3, 0, cat("\x00", command("connect", 1, amfObject("app", amfString("live")))))), Answered, "_result"},
	)
}
