import AwsS3, { type AwsBody } from '@uppy/aws-s3'
import Uppy from '@uppy/core'

type Intake = { apiUrl: string; getToken: () => string | Promise<string>; purpose: 'scan' | 'profile' | 'chat' }
type Ticket = { key: string; upload_url: string; required_headers: Record<string, string> }
/** `key` is the image's, for calls of the API. */
type Meta = { key?: string; location?: string }

/** An Uppy that uploads by tickets; dashboards and other plugins go on top of it. */
export const openUppy = ({ apiUrl, getToken, purpose }: Intake): Uppy<Meta, AwsBody> => {
  const allowedFileTypes = ['image/jpeg', 'image/png', 'image/webp', 'image/gif', 'image/avif']
  const restrictions = { allowedFileTypes, minFileSize: 1, maxFileSize: 10_485_760 }
  const uppy = new Uppy<Meta, AwsBody>({ restrictions })
  uppy.use(AwsS3, {
    shouldUseMultipart: false,
    // A ticket needs the file's size, which signRequest is not told; so the file's id stands for the key that is not known yet.
    generateObjectKey: ({ id }) => id,
    signRequest: async ({ key: fileId }) => {
      const { type, data } = uppy.getFile(fileId)
      const answer = await fetch(`${apiUrl}/images/presigned-url`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${await getToken()}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ purpose, content_type: type, content_length: data?.size }),
      })
      if (!answer.ok) throw new Error(((await answer.json()) as { detail: string }).detail) // RFC 9457
      const { key, upload_url, required_headers } = (await answer.json()) as Ticket // by the API's contract
      uppy.setFileMeta(fileId, { key, location: upload_url.replace(/\?.*/, '') })
      return { url: upload_url, key, headers: required_headers }
    },
  })
  uppy.on('upload-error', (file, error) => {
    // Uppy puts again when no answer came. A 412 then says that an earlier try has arrived.
    if (!file || !('status' in error) || error.status !== 412) return
    const { key = '', location = '' } = uppy.getFile(file.id).meta
    uppy.setFileState(file.id, { error: null })
    uppy.setState({ error: null })
    uppy.hideInfo()
    uppy.emit('upload-success', file, { status: 200, body: { location, key }, uploadURL: location })
  })
  return uppy
}
