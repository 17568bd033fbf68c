package privacy

// words are those of a passphrase that is offered: 1024, so that each is worth 10 bits. They are common,
// short, and hard to mistake for one another when they are read out.
const words = `
able acid acorn actor adapt adult agent agree alarm album alert alley allow alone amber angle ankle
apple apron arch arena argue armor army aroma arrow artist aspen atlas atom attic aunt autumn avenue
award awning bacon badge bagel baker balcony ball balloon bamboo banana band banjo bank banner
barley barn barrel basil basin basket bath battery beach bead beam bear beard beaver beef beetle
bell belt bench bicycle birch bird biscuit bishop bison black blanket blender blink block bloom
blouse blue boat bobbin body boil bolt bone bonnet book boot border bottle boulder branch brass
brave bread breeze brick bridge brief bright bronze brook broom brother brown brush bubble bucket
budget buffalo bugle build bulb bundle bunny burrow butter button cabin cabinet cable cactus cake
calf calm camel camera camp canal candle candy canoe canvas canyon cape captain caramel carbon card
cargo carpet carrot cart carve case castle cattle cave cedar ceiling celery cellar cello cement
chain chair chalk chance chapel charm chart cheek cheese cherry chess chest chief child chimney chin
choir cider cinema circle circus citrus city clam clap clay clean clerk cliff climb clinic clip
cloak clock cloth cloud clover club coach coal coast coat cobalt cobra cocoa code coffee coil coin
collar color column comb comet comic compass copper coral cork corn corner cotton couch cougar
cousin cover cowboy coyote crab cradle craft crane crater crayon cream crew cricket crisp crop cross
crow crowd crown cruise crust crystal cube curb curly curry curve cycle daily dairy daisy dance
danger dawn deck delta denim dentist depot depth desert desk dial diamond diary dice diesel dinner
disco dish ditch dive dock doctor doll dolphin dome donkey donut door dough dove dozen draft dragon
drama drawer dream dress drift drill drink drive drop drum duck duet dune dusk dust eager eagle
early earth easel east easy echo edge effort eight elbow elder ember emerald emotion empty endless
engine enjoy equal errand escape essay ethic evening exact exit expert extra eyelid fable fabric
face factor falcon fall family famous fancy farm fashion father faucet fawn feast feather fence fern
ferry fever fiber fiddle field film filter finch finger fire firm fish flag flame flannel flash
flask fleet flint float flock floor fluid flute foam focus foil folk food foot forest forge fork
fort fossil fountain frame freckle fresh friend frog frost fruit fuel funnel future galaxy gallery
gallop game garage garden garlic gate gazelle gear gecko genius gentle geyser giant gift ginger
giraffe glacier glad glass glide globe glory glove glow glue goal goat gold golf goose gorilla
gossip gown grain grand granite grape graph grass gravel gravy green grid grill grin grocer groove
group grove guard guest guide guitar gull gust habit hail half hammer hammock hand harbor harp
harvest hawk hazel head heart heat hedge helmet help herb hero heron hill hinge hippo hobby hockey
holiday hollow home honey hood hook hoop horizon horn horse hotel hour house huddle human humble
hummus humor hundred hunter hurdle icicle igloo image inch index inlet insect inside iris iron
island ivory jacket jade jaguar jasmine jazz jelly jewel jigsaw joke journal journey judge juice
jungle junior jury kayak keel kelp kennel kettle kidney kind king kiosk kitchen kite kitten kiwi
knee knife koala label lace ladder ladle lady lagoon lake lamb lamp lane lantern laptop large lark
lasso laugh laundry lava lawn layer league lemon lens leopard lesson letter level lever library
light lilac lily lime linen list liver lizard llama lobby lobster local lock locket lodge lotion
lotus loud lounge lucky lullaby lumber lunar lunch lung lynx lyric magic magnet major mango manor
mantle maple marble march margin marine market marsh mask mason match meadow meal medal melody melon
memory menu mercy merit metal meteor meter middle milk mill mimosa mineral mint mirror mist mitten
mixer moat model modern molar moment monkey month moon moose morning mosaic moss moth motor mountain
mouse mouth movie muffin mulberry mule muscle museum music mustard myth nail name napkin narrow
native nature navy neck nectar needle nephew nest nettle news nickel niece noble nomad noodle noon
north nose note novel nugget number nurse nutmeg oasis ocean octave octopus offer office olive
omelet onion onyx opal open opera orange orbit orchard orchid order organ origin otter ounce outfit
oval oven owner oxygen oyster pace paddle page paint palace palm pancake panda panel panther papaya
paper parade parcel park parrot parsley party pasta pastry patch path patio peach peacock peanut
pearl pebble pedal pelican pencil penguin pepper perch perfume petal phone phrase piano picnic
picture pigeon pillow pilot pine pink pipe pirate pistachio pizza planet plank plant plate plaza
plum pocket poem polar polka pond pony poppy porch portrait postcard potato pottery powder prairie
prism prize profit puddle puffin pulse pumpkin puppet puppy purple puzzle pyramid quail quarry
quarter quest quick quiet quill quilt quince quiver quiz rabbit raccoon radar radio radish raft
raisin ramp ranch range raven ravine recipe reef relay rhubarb rhythm ribbon rice riddle ridge river
robin robot rocket rodeo roof room rope rowboat royal ruby rudder ruler runner rural rust saddle
saffron sage salad salmon salt sand sandal sapphire satin scarf school scooter season seed shadow
shark sheep shelf shell shield ship shirt shoe shore shovel silk silver singer sketch ski skirt sky
sled sleeve slipper smile smoke snail snow soap soccer socket sofa soil solar song soup south spark
sparrow spice spider spinach spiral spoon sport spring spruce squid stable stadium stamp star
station steam stem stone storm stove straw stream street summer surf swan sweater swift symbol syrup
table tailor talent tango target tavern teacup temple tennis tent thistle thread thumb thunder
ticket tiger timber tin toast tomato topaz torch tower town toy track tractor trail train tree tribe
trophy truck trumpet tulip tuna tunnel turkey turnip turtle tuxedo twig umbrella uncle unicorn union
useful valley valve vanilla vault velvet vendor verse vessel viking village vinegar violet violin
visitor vivid voice volcano voyage waffle wagon walnut walrus water weaver wedding whale wheat wheel
whistle willow window winter wizard wolf wonder world yacht yarn yellow yoga yogurt zebra zenith
zigzag zinc zipper zone zoo
`
