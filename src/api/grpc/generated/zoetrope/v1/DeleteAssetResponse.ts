// Original file: proto/zoetrope/v1/assets.proto


export interface DeleteAssetResponse {
}

export interface DeleteAssetResponse__Output {
}
