package pcp

// Chan is what is said of a channel, and a packet of its stream.
type Chan struct {
	ID, Broadcast ID
	// Any of them may be missing. They are written in this order, which peercast-yt has;
	// PeerCastStation has the packet in front.
	Info   *Info
	Track  *Track
	Packet *Packet
}

// Append appends the atom.
func (c Chan) Append(b []byte) []byte {
	p := begin(b, NameChan)
	p.id(nameID, c.ID)
	p.id(nameBcid, c.Broadcast)
	if c.Info != nil {
		p.atom(c.Info.append)
	}
	if c.Track != nil {
		p.atom(c.Track.append)
	}
	if c.Packet != nil {
		p.atom(func(b []byte) []byte { return append(c.Packet.appendHead(b, len(c.Packet.Data)), c.Packet.Data...) })
	}
	return p.end()
}

// ParseChan reads a chan. Its packet's data is a view of the atom. An atom in it that does not
// belong there is an error, here as in peercast-yt.
func ParseChan(a Atom) (c Chan, err error) {
	if a.Name != NameChan {
		return c, &Error{Why: Unknown, Name: a.Name}
	}
	if !a.parent {
		return c, &Error{Why: Size, Name: a.Name}
	}
	for k := range a.Children() {
		switch k.Name {
		case nameID:
			err = k.into(&c.ID)
		case nameBcid:
			err = k.into(&c.Broadcast)
		case nameKey: // an old name of bcid
			_, err = k.fixed(len(ID{}))
		case nameInfo:
			c.Info = new(Info)
			err = k.fields(c.Info.fields())
		case nameTrck:
			c.Track = new(Track)
			err = k.fields(c.Track.fields())
		case namePkt:
			c.Packet = new(Packet)
			err = c.Packet.parse(k)
		default:
			err = &Error{Why: Unknown, Name: k.Name}
		}
		if err != nil {
			return Chan{}, err
		}
	}
	return c, nil
}

// Info says what a channel is. Texts are UTF-8, one line of at most MaxText bytes.
type Info struct {
	Name        string
	Bitrate     uint32 // kbit/s
	Genre       string
	URL         string // of a page about it
	Description string
	Comment     string
	Type        string // FLV, MKV, WEBM, MP3 and so on; see the table
	MIME        string
	Extension   string // with its dot
}

func (i *Info) fields() map[Name]any {
	return map[Name]any{
		nameName: &i.Name, nameBitr: &i.Bitrate, nameGnre: &i.Genre, nameURL: &i.URL, nameDesc: &i.Description, nameCmnt: &i.Comment,
		nameType: &i.Type, nameStyp: &i.MIME, nameSext: &i.Extension,
	}
}

// append writes every text, also an empty one, so that a reader forgets what was there before.
func (i *Info) append(b []byte) []byte {
	p := begin(b, nameInfo)
	p.text(nameName, i.Name)
	p.int(nameBitr, i.Bitrate)
	p.text(nameGnre, i.Genre)
	p.text(nameURL, i.URL)
	p.text(nameDesc, i.Description)
	p.text(nameCmnt, i.Comment)
	p.text(nameType, i.Type)
	p.maybe(nameStyp, i.MIME)
	p.maybe(nameSext, i.Extension)
	return p.end()
}

// Track says what is on at the moment.
type Track struct{ Title, Creator, URL, Album string }

func (t *Track) fields() map[Name]any {
	return map[Name]any{nameTitl: &t.Title, nameCrea: &t.Creator, nameURL: &t.URL, nameAlbm: &t.Album}
}

func (t *Track) append(b []byte) []byte {
	p := begin(b, nameTrck)
	p.text(nameTitl, t.Title)
	p.text(nameCrea, t.Creator)
	p.text(nameURL, t.URL)
	p.text(nameAlbm, t.Album)
	return p.end()
}

// Kinds of packets. Readers skip other ones.
const (
	Data Kind = iota // of the stream
	Head             // what a reader needs before it
	Other
)

// Kind is what a packet carries.
type Kind byte

// Cont is the bit of a packet's cont that peercast-yt sets for all that is no place to
// start. PeerCastStation has other bits: any one says it.
const Cont = 1

// Packet is a piece of a channel's stream.
type Packet struct {
	Kind Kind
	Pos  uint32 // where it is in the stream, modulo 2^32
	Cont byte   // 0: here a reader may start
	Data []byte
}

// MostData is the most data that is sent in one packet, in bytes, as PeerCastStation does.
// MostSent is the most bytes of one atom at the top, with all that is in it, for which peercast-yt has
// room, and MostHead the most data of a head in a chan with nothing but that and its ID.
const (
	MostData = 15360
	MostSent = 16384
	MostHead = MostSent - (6*headLen + len(ID{}) + 4 + 4) // six atoms, of which three have values besides
)

// appendHead appends all of a packet but n bytes of data, which must follow.
func (p *Packet) appendHead(b []byte, n int) []byte {
	w := begin(b, namePkt)
	typ := nameData
	if p.Kind == Head {
		typ = nameHead
	}
	w.bytes(nameType, typ[:])
	w.int(namePos, p.Pos)
	if p.Cont != 0 {
		w.char(nameCont, p.Cont)
	}
	w.kids++
	return appendHead(w.end(), nameData, uint32(n))
}

// AppendDataHead appends a chan with nothing but a data packet, up to its data: n bytes of it must
// be written behind it. So data need not be copied.
func AppendDataHead(b []byte, id ID, pos uint32, cont byte, n int) []byte {
	p := begin(b, NameChan)
	p.id(nameID, id)
	p.atom(func(b []byte) []byte { return (&Packet{Pos: pos, Cont: cont}).appendHead(b, n) })
	return p.end()
}

func (p *Packet) parse(a Atom) error {
	var typ Name
	if err := a.fields(map[Name]any{nameType: &typ, namePos: &p.Pos, nameCont: &p.Cont}); err != nil {
		return err
	}
	switch typ {
	case nameData:
		p.Kind = Data
	case nameHead:
		p.Kind = Head
	default:
		p.Kind = Other
	}
	for c := range a.Children() {
		if c.Name != nameData {
			continue
		}
		if c.parent {
			return &Error{Why: Size, Name: c.Name}
		}
		p.Data = c.body
	}
	return nil
}
