import { box, fileTypeBox } from './images.ts'

/** What photos and drawings carry, and what looks like an attack only at first sight. */

const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')

/** As cameras and editors write it: escaped markup in values, words that begin with "on", attributes by the dozen. */
export const xmpPacket = `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Adobe XMP Core 7.1-c000">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:hdrgm="http://ns.adobe.com/hdr-gain-map/1.0/"
    xmlns:GCamera="http://ns.google.com/photos/1.0/camera/" pdf:PDFVersion="1.7" pdf:Producer="%PDF library"
    GCamera:MotionPhoto="1" hdrgm:Version="1.0" online="true" once="1" xmp:CreatorTool="A tool">
   <dc:format>image/jpeg</dc:format>
   <dc:title><rdf:Alt><rdf:li xml:lang="x-default">JavaScript: The Good Parts</rdf:li></rdf:Alt></dc:title>
   <dc:description>&lt;script&gt;alert(1)&lt;/script&gt; &lt;?php &lt;html&gt; on load = 1 /* */</dc:description>
   <xmp:Thumbnails><rdf:Alt><rdf:li xmpGImg:image="/9j/4AAQSkZJRgABAgEASABIAAD/7QAsUGhvdG9zaG9wIDMuMAA4"/></rdf:Alt>
   </xmp:Thumbnails><scripted:note>x</scripted:note><html5:note>x</html5:note>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`

const workflow = JSON.stringify({ nodes: [{ type: 'Note', text: '<lora:style:0.8> (masterpiece:1.2), <b>x</b> <?' }] })

export const innocentMetadata: [name: string, content: Buffer][] = [
  ['XMP', Buffer.from(xmpPacket)],
  [
    'a caption with formatting',
    latin1('A <b>red</b> barn<br/> by <a href="https://example.com/?on=1">me</a>, <i>2026</i>'),
  ],
  ['a caption about code', latin1('if (a < b && b > c) { online = true } // <= 5, *.php, index.html, pk, PK, <?xml?>')],
  ['a comment of GD', latin1('CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90\n')],
  [
    'a resource of Photoshop',
    latin1('Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x0c\x1c\x02x\0\x07caption8BIM\x04%\0\0\0\0\0\x10'),
  ],
  [
    'a Content Credential',
    Buffer.concat([
      box(
        'jumb',
        box('jumd', latin1('c2pa\0')),
        box('json', latin1('{"@type":"CreativeWork","url":"https://example.com/a.html"}')),
      ),
    ]),
  ],
  ['a formula', latin1('<math xmlns="http://www.w3.org/1998/Math/MathML"><mi>x</mi><mo>&lt;</mo><mn>3</mn></math>')],
  ['a drawing', latin1(`%3Cmxfile%20host%3D%22app.diagrams.net%22%3E${'%3Cdiagram'.repeat(20)}`)],
  ['a workflow', latin1(workflow)],
  ['a text about archives', latin1('Rar! 7z PK\x03\x04 ustar %PDF is how they begin, PK\x05\x06 is the end')],
  [
    'settings in XML',
    latin1('<?xml version="1.0"?><Camera online="yes" onboard="1"><Body>X</Body><Object>Y</Object></Camera>'),
  ],
]

/** What cameras put behind the pixels: a video, another image, zeros, their own records. */
export const innocentTrailers = (photo: Buffer): [name: string, trailer: Buffer][] => [
  ['a motion photo', Buffer.concat([fileTypeBox('mp42', 'isom', 'mp42'), box('mdat', Buffer.alloc(999, 0x3c))])],
  ['a gain map', photo],
  ['zeros', Buffer.alloc(4096)],
  ['records of the maker', latin1('Image_UTC_Data1767225600000SEFHk\0\0\0\x01\0\0\0\0\0\x01\n\0\0\0SEFT')],
]
