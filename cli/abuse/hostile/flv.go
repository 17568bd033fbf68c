package hostile

import "strings"

// File is a hostile FLV file, as relay source reads one from a file, a pipe or a URL.
type File struct {
	Name  string
	Bytes []byte
}

// flvHeader is an honest file header with sound and pictures (annex E.2), and its back pointer.
const flvHeader = "FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"

// tag is an FLV tag with its back pointer.
func tag(typ byte, ms uint32, body []byte) []byte {
	return cat(typ, u24(len(body)), u24(int(ms&0xffffff)), byte(ms>>24), "\x00\x00\x00", body, u32(uint32(11+len(body))))
}

func flvFile(units []unit) []byte {
	b := []byte(flvHeader)
	for _, u := range units {
		b = cat(b, tag(u.typ, u.ms, u.body))
	}
	return b
}

// Files are hostile files: containers that are broken, and each stream that hostile encoders send.
func Files() []File {
	good := flvFile(honest())
	all := []File{
		{"an empty file", nil},
		{"a signature alone", []byte("FLV")},
		{"a header cut", []byte(flvHeader[:7])},
		{"a header without its back pointer", []byte(flvHeader[:9])},
		{"a header alone", []byte(flvHeader)},
		{"version 2", cat("FLV\x02", flvHeader[4:])},
		{"a header of 4 GiB", cat("FLV\x01\x05\xff\xff\xff\xff", good[9:])},
		{"a header of 2 GiB", cat("FLV\x01\x05\x80\x00\x00\x00", good[9:])},
		{"a header of 0 bytes", cat("FLV\x01\x05\x00\x00\x00\x00", good[9:])},
		{"a header of 8 bytes", cat("FLV\x01\x05\x00\x00\x00\x08", good[9:])},
		{"a header of 4097 bytes", cat("FLV\x01\x05\x00\x00\x10\x01", rep(0, 4092), good[9:])},
		{"flags of no meaning", cat("FLV\x01\xff", flvHeader[5:], good[13:])},
		{"a tag of 16 MiB announced", cat(good, "\x09\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00", rep(1, 1000))},
		{"a tag cut in its header", cat(good, "\x09\x00\x00")},
		{"a tag cut in its body", cat(good, "\x09\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00abc")},
		{"a tag without its back pointer", good[:len(good)-4]},
		{"back pointers of 2^32 - 1", cat(flvHeader, strings.ReplaceAll(string(good[13:]), "\x00\x00\x00\x1f", "\xff\xff\xff\xff"))},
		{"tags of type 0", cat(good, tag(0, 0, []byte("abc")), tag(0, 1, nil))},
		{"tags of type 255", cat(good, tag(255, 0, []byte("abc")))},
		{"tags that say that they are encrypted", cat(good, tag(0x20|videoMessage, 40, []byte(avcKey)), tag(0x20|audioMessage, 40, rep(1, 30)))},
		{"a hundred thousand empty tags", cat(good, []byte(strings.Repeat(string(tag(videoMessage, 0, nil)), 100_000)))},
		{"a file in a file", cat(good, good, good[:20])},
		{"a stream ID of ones", cat(good, "\x09\x00\x00\x05\x00\x00\x28\x00\xff\xff\xff\x17\x01\x00\x00\x00\x00\x00\x00\x10")},
		{"MP4", cat("\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2", rep(0, 100))},
		{"an MP4 of fragments that are cut", cat("\x00\x00\x00\x10ftypisom\x00\x00\x00\x00\x00\x00\x00\x08moov\xff\xff\xff\xffmoof", rep(0, 100))},
		{"an MP4 whose table has 4294967295 samples", cat("\x00\x00\x00\xd6moov\x00\x00\x00\xcetrak\x00\x00\x00\xc6mdia\x00\x00\x00\x20mdhd", rep(0, 12), "\x00\x00\x03\xe8", rep(0, 8), "\x00\x00\x00\x14hdlr", rep(0, 8), "vide\x00\x00\x00\x8aminf\x00\x00\x00\x82stbl\x00\x00\x00\x66stsd\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x56vp09", rep(0, 78), "\x00\x00\x00\x14stsz\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff")},
		{"a Matroska of 2^56 bytes", cat("\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xfe\x16\x54\xae\x6b\x10\x3f\xff\xff", rep(0xae, 1000))},
		{"a Matroska of clusters alone", cat("\x1a\x45\xdf\xa3\x80\x18\x53\x80\x67\xff\x16\x54\xae\x6b\x8f\xae\x8d\xd7\x81\x01\x83\x81\x01\x86\x85V_VP9", []byte(strings.Repeat("\x1f\x43\xb6\x75\xff\xa3\x84\x81\x00\x00\x06", 10_000)))},
		{"MPEG-TS", cat("\x47\x40\x00\x10", rep(0xff, 184), "\x47\x40\x00\x11")},
		{"a playlist", []byte("#EXTM3U\n#EXT-X-VERSION:3\nhttp://127.0.0.1/x.ts\n")},
		{"a page", []byte("<!doctype html><script>alert(1)</script>")},
		{"orders to the terminal", []byte("\x1b[2J\x1b]0;owned\x07")},
		{"ones", rep(255, 5000)},
		{"zeros", rep(0, 5000)},
	}
	for _, s := range sequences() {
		all = append(all, File{s.name, flvFile(s.units)})
	}
	return all
}
