// Package elementary reads sound that comes by itself, without a container, into tags: MP3 (ISO/IEC 11172-3 and 13818-3, layer III) and
// AAC in ADTS (ISO/IEC 14496-3, 1.A.2), as files, as stations of Icecast and SHOUTcast send it, and as channels of PeerCast's.
//
//	bytes ─► Reader ─► convert.Converter ─► flv.Tag
//
// There are no times in it: a frame is heard behind the one before. Who tunes in begins in the middle of a frame. ID3 tags in front
// (id3.org, 2.2 to 2.4) are passed over, and so is whatever is no frame.
package elementary
