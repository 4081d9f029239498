import type { Put } from './browser.ts'

// fetch tells nothing of an upload's progress, XHR does: uploadImage(intake, 'scan', file, putWithProgress(show))

/** `tell` gets the share that is sent, up to 1. A repeated try begins anew. */
export const putWithProgress =
  (tell: (share: number) => void): Put =>
  ({ upload_url, required_headers }, file) =>
    new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest()
      xhr.open('PUT', upload_url)
      // Each name once: XHR joins the values of a name that is set again, in whatever case, and S3 refuses the signature.
      for (const [name, value] of Object.entries(required_headers)) xhr.setRequestHeader(name, value)
      xhr.upload.onprogress = ({ loaded, total }) => tell(loaded / total)
      xhr.onload = () => resolve({ status: xhr.status, body: xhr.responseText })
      xhr.onerror = () => reject(new Error('no answer came'))
      xhr.send(file)
    })
